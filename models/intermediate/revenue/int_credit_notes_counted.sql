-- One row per credit note, latest known, of an account that is no test, unless it takes back a
-- draft or a voided invoice, which never was revenue. Its reporting amount stands at the rate of
-- the month of its issue; without one it is set aside and counted by
-- assert_every_invoice_has_a_rate.

{{ config(materialized='table') }}

with

credit_notes as (

    select * from {{ ref('int_credit_notes_linked') }}

),

invoices as (

    select * from {{ ref('int_invoices_linked') }}

),

accounts as (

    select * from {{ ref('int_accounts_dated') }}

),

rates as (

    select * from {{ ref('int_fx_rates_monthly') }}

),

without_revenue as (

    select invoice_id

    from invoices

    where is_latest and status in ('draft', 'void')

),

dated as (

    select
        credit_notes.*,
        {{ local_month('credit_notes.issued_at') }} as month

    from credit_notes

    inner join accounts
        on
            credit_notes.account_id = accounts.account_id
            and not accounts.is_test
            and not accounts.is_lead

    left join without_revenue on credit_notes.invoice_id = without_revenue.invoice_id

    where
        credit_notes.is_latest
        and (credit_notes.deleted_at is null or credit_notes.deleted_at >= {{ as_of() }})
        and without_revenue.invoice_id is null

),

rated as (

    select
        dated.*,
        {{ reporting_rate('dated.currency', 'rates.rate') }} as rate

    from dated

    left join rates on dated.currency = rates.currency and dated.month = rates.month

),

final as (

    select
        account_id,
        credit_note_id,
        invoice_id,
        currency,
        month,
        amount as amount_original,
        {{ amount_at_rate('amount_original', 'rate') }} as amount,
        issued_at,
        period_start_at,
        period_end_at

    from rated

    where rate is not null

)

select * from final
