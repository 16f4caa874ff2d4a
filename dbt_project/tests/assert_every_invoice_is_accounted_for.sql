-- What was billed on an invoice and what became of it: total = paid + credited + settled + bad debt
-- + voided + outstanding - credit balance; drafts are owed by nobody.
select
    account_id,
    invoice_id,
    status,
    total_amount,
    paid_amount,
    credited_amount,
    settled_amount,
    bad_debt_amount,
    voided_amount,
    outstanding_amount,
    credit_balance_amount

from {{ ref('fct_invoices') }}

where
    status <> 'draft'
    and total_amount_original <> 0
    and total_amount <> paid_amount + credited_amount + settled_amount + bad_debt_amount
    + voided_amount + outstanding_amount - credit_balance_amount
