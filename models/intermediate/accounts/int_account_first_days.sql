-- One row per account or lead and first day that it was ever known to have, with the first daily
-- row that may use it: a row that lands late can move an account's first day back (spec 00,
-- "account day").

{{ config(materialized='table') }}

with

accounts as (

    select * from {{ ref('int_companies_known') }}

),

event_days as (

    select * from {{ ref('int_event_days') }}

),

users as (

    select * from {{ ref('int_users_linked') }}

),

subscriptions as (

    select * from {{ ref('int_subscriptions_linked') }}

),

tickets as (

    select * from {{ ref('int_tickets_linked') }}

),

account_team as (

    select * from {{ ref('int_account_team_linked') }}

),

dated_rows as (

    select
        account_id,
        created_at as dated_at,
        known_from
    from accounts
    union all
    select
        account_id,
        created_at as dated_at,
        known_from
    from users
    union all
    select
        account_id,
        started_at as dated_at,
        known_from
    from subscriptions
    union all
    select
        account_id,
        created_at as dated_at,
        known_from
    from tickets
    union all
    select
        account_id,
        valid_from as dated_at,
        known_from
    from account_team

),

dated as (

    select
        account_id,
        {{ local_day('dated_at') }} as first_day,
        greatest({{ local_day('dated_at') }}, {{ known_day('known_from') }}) as known_day

    from dated_rows

    -- Who looks after an account since the least date there is does so since ever.
    where dated_at >= cast('1900-01-01' as timestamp with time zone)

    union all

    select
        account_id,
        day as first_day,
        greatest(day, known_day) as known_day

    from event_days

),

by_known_day as (

    select
        account_id,
        known_day,
        min(first_day) as first_day

    from dated

    group by account_id, known_day

),

final as (

    select
        account_id,
        known_day,
        first_day

    from by_known_day

    qualify
        first_day < coalesce(
            min(first_day) over (
                partition by account_id
                order by known_day
                rows between unbounded preceding and 1 preceding
            ),
            cast('9999-12-31' as date)
        )

)

select * from final
