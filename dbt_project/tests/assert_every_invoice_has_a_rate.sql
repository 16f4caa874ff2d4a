-- Invariant 19, an input rule: an invoice, payment or credit note in a currency without a rate for
-- its month is set aside from every mart and counted here.
-- Its result is kept with the mart that it speaks of. depends_on: {{ ref('fct_invoices') }}
{{ config(severity='warn') }}

with

invoices as (

    select
        currency,
        'invoices' as rows_of,
        cast(date_trunc('month', {{ local_day('created_at') }}) as date) as month

    from {{ ref('int_invoices_linked') }}

    where is_latest and deleted_at is null

),

payments as (

    select
        currency,
        'payments' as rows_of,
        cast(date_trunc('month', {{ local_day('paid_at') }}) as date) as month

    from {{ ref('int_payments_linked') }}

    where is_latest and deleted_at is null

),

credit_notes as (

    select
        currency,
        'credit_notes' as rows_of,
        cast(date_trunc('month', {{ local_day('issued_at') }}) as date) as month

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
    billed.currency,
    billed.month,
    billed.rows_of,
    count(*) as row_count

from billed

left join {{ ref('int_fx_rates_monthly') }} as rates
    on billed.currency = rates.currency and billed.month = rates.month

where billed.currency <> '{{ var("reporting_currency") }}' and rates.rate is null

group by billed.currency, billed.month, billed.rows_of
