-- One row per account, actor and local month with an event on a full day: the first and the last of
-- what its days tell. What was ever seen is read from months, and not from days.

{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='sync_all_columns',
    full_refresh=false,
    tags=['rollup'],
    pre_hook="{{ forget_months(ref('int_usage_days_due')) }}",
) }}

with

actor_days as (

    select
        *,
        cast(date_trunc('month', day) as date) as month

    from {{ ref('int_actor_days') }}

    where day < {{ as_of_day() }}

),

due as (

    select * from {{ ref('int_usage_days_due') }}

),

due_months as (

    select distinct
        account_id,
        cast(date_trunc('month', day) as date) as month

    from due

),

kept as (

    select actor_days.*

    from actor_days

    semi join due_months
        on actor_days.account_id = due_months.account_id and actor_days.month = due_months.month

),

final as (

    select
        account_id,
        actor_id,
        user_id,
        month,
        min(day) as first_day,
        min(greatest(day, user_known_day)) as first_known_day,
        max_by(last_device, day) filter (where last_device is not null) as last_device,
        max(day) filter (where last_device is not null) as last_device_on,
        min(first_activity_at) as first_activity_at,
        max(last_activity_at) as last_activity_at,
        min(first_login_at) as first_login_at,
        max(last_login_at) as last_login_at,
        min(first_session_at) as first_session_at,
        max(last_session_at) as last_session_at

    from kept

    group by account_id, actor_id, user_id, month

)

select * from final
