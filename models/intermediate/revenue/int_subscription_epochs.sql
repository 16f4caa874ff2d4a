-- One row per subscription and stretch of time in which the same rows about it were known: the
-- account that it counted under and the subscription's own version. What was known about it then is
-- the rows, of whatever table, with known_from <= the epoch's and known_until > the epoch's. Mostly
-- there is one: all that landed first was known when it happened.

{{ config(materialized='table') }}

with

subscriptions as (

    select * from {{ ref('int_subscriptions_linked') }}

),

items as (

    select * from {{ ref('stg_invoices__subscription_items') }}

),

changes as (

    select * from {{ ref('stg_invoices__subscription_changes') }}

),

discounts as (

    select * from {{ ref('stg_invoices__discounts') }}

),

accounts as (

    select * from {{ ref('int_accounts_dated') }}

),

instants as (

    select
        subscription_id,
        known_from
    from subscriptions
    union
    select
        subscription_id,
        known_from
    from items
    union
    select
        subscription_id,
        known_from
    from changes
    union
    select
        subscription_id,
        known_from
    from discounts

),

epochs as (

    select
        subscription_id,
        known_from,
        lead(known_from, 1, cast('9999-12-31' as timestamp with time zone)) over (
            partition by subscription_id order by known_from
        ) as known_until

    from instants

),

final as (

    -- Of test accounts and leads nothing counts. A version ends where its account's merge becomes
    -- known, which may lie inside an epoch of its rows.
    select
        subscriptions.* exclude (known_from, known_until, is_latest),
        epochs.known_from as rows_known_at,
        greatest(epochs.known_from, subscriptions.known_from) as known_from,
        least(epochs.known_until, subscriptions.known_until) as known_until,
        epochs.known_until = cast('9999-12-31' as timestamp with time zone)
        and subscriptions.is_latest as is_latest

    from epochs

    inner join subscriptions
        on
            epochs.subscription_id = subscriptions.subscription_id
            and epochs.known_from < subscriptions.known_until
            and epochs.known_until > subscriptions.known_from

    inner join accounts
        on
            subscriptions.account_id = accounts.account_id
            and not accounts.is_test
            and not accounts.is_lead

)

select * from final
