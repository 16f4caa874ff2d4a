-- Invariant 4: recurring + non-recurring + usage-based = the invoice's total before tax and after
-- discounts, in its own currency and in the reporting one.
select
    account_id,
    invoice_id,
    recurring_amount_original,
    non_recurring_amount_original,
    usage_amount_original,
    net_amount_original,
    recurring_amount,
    non_recurring_amount,
    usage_amount,
    net_amount

from {{ ref('fct_invoices') }}

where
    recurring_amount_original + non_recurring_amount_original + usage_amount_original
    <> net_amount_original
    or recurring_amount + non_recurring_amount + usage_amount <> net_amount
