-- One row per account that counts in revenue (no test account, no lead, none merged into another)
-- and the month in which its months begin: that of its creation or first subscription, whichever
-- is earlier.

{{ config(materialized='table') }}

with

accounts as (

    select * from {{ ref('int_accounts_dated') }}

),

subscriptions as (

    select * from {{ ref('int_subscriptions_linked') }}

),

first_subscriptions as (

    select
        account_id,
        {{ local_day('min(started_at)') }} as first_subscribed_on

    from subscriptions

    where is_latest

    group by account_id

),

final as (

    select
        accounts.account_id,
        cast(
            date_trunc(
                'month', least(accounts.created_on, first_subscriptions.first_subscribed_on)
            ) as date
        ) as first_month,
        first_subscriptions.first_subscribed_on

    from accounts

    left join first_subscriptions on accounts.account_id = first_subscriptions.account_id

    where
        not accounts.is_test
        and not accounts.is_lead
        and accounts.merged_day is null

)

select * from final
