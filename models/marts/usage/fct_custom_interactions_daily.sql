-- One row per account, name of a custom event and full local day with one.

{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='append_new_columns',
    full_refresh=false,
    tags=['rollup'],
    pre_hook="{{ forget_days(ref('int_usage_days_published')) }}",
) }}

with

event_type_days as (

    select * from {{ ref('int_event_type_days') }}

    where event_type = 'custom' and day < {{ as_of_day() }}

),

accounts as (

    select * from {{ ref('int_accounts_dated') }}

    where merged_day is null

),

published as (

    select * from {{ ref('int_usage_days_published') }}

),

final as (

    select
        account_id,
        coalesce(event_name, '(none)') as event_name,
        day,
        cast(sum(quantity) as bigint) as interaction_count,
        count(distinct user_id) as users,
        count(distinct actor_id) filter (where actor_id like 'anonymous %') as anonymous_users

    from event_type_days

    semi join published using (account_id, day)

    semi join accounts using (account_id)

    group by account_id, coalesce(event_name, '(none)'), day

)

select * from final
