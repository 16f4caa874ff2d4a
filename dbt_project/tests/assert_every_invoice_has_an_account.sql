-- Rows of a billing id that is no account's, or a lead's, wait outside every mart of revenue; they
-- are listed by id and currency, with their rows and money.
-- Its result is kept with the mart that it speaks of. depends_on: {{ ref('fct_invoices') }}
{{ config(severity='warn') }}

with

invoices as (

    select
        account_id,
        currency,
        'invoices' as rows_of,
        coalesce(total_amount, 0) as amount

    from {{ ref('int_invoices_linked') }}

    where is_latest and deleted_at is null

),

payments as (

    select
        account_id,
        currency,
        'payments' as rows_of,
        amount

    from {{ ref('int_payments_linked') }}

    where is_latest and deleted_at is null

),

credit_notes as (

    select
        account_id,
        currency,
        'credit_notes' as rows_of,
        amount

    from {{ ref('int_credit_notes_linked') }}

    where is_latest and deleted_at is null

),

billed as (

    select * from invoices

    union all

    select * from payments

    union all

    select * from credit_notes

)

select
    billed.account_id as billing_id,
    billed.rows_of,
    billed.currency,
    count(*) as row_count,
    sum(billed.amount) as amount

from billed

left join {{ ref('int_accounts_dated') }} as accounts
    on billed.account_id = accounts.account_id and not accounts.is_lead

where accounts.account_id is null

group by billed.account_id, billed.rows_of, billed.currency
