-- One row per payment or refund (negative), latest known, that moved money of an account that is no
-- test: what failed, is pending or was cancelled moved none. Its reporting amount stands at the
-- rate of the month in which it was paid; without one it is set aside and counted by
-- assert_every_invoice_has_a_rate.

{{ config(materialized='table') }}

with

payments as (

    select * from {{ ref('int_payments_linked') }}

),

accounts as (

    select * from {{ ref('int_accounts_dated') }}

),

rates as (

    select * from {{ ref('int_fx_rates_monthly') }}

),

dated as (

    select
        payments.*,
        {{ local_month('payments.paid_at') }} as month

    from payments

    inner join accounts
        on
            payments.account_id = accounts.account_id
            and not accounts.is_test
            and not accounts.is_lead

    where
        payments.is_latest
        and (payments.deleted_at is null or payments.deleted_at >= {{ as_of() }})
        and {{ moves_money('payments.status') }}

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
        payment_id,
        invoice_id,
        currency,
        month,
        amount as amount_original,
        {{ amount_at_rate('amount_original', 'rate') }} as amount,
        paid_at

    from rated

    where rate is not null

)

select * from final
