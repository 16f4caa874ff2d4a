-- One row per account and actor with an event in the last 90 full days: login days, sessions and
-- time in the windows that end at the as-of day, and the microseconds between the first and the
-- last login of the last 7 and 30 days. Where no source sends logins, sessions stand for them.

{{ config(materialized='table') }}

with

actor_days as (

    select
        *,
        day >= {{ as_of_day() }} - 30 as is_in_30d,
        day >= {{ as_of_day() }} - 7 as is_in_7d

    from {{ ref('int_actor_days') }}

    where day >= {{ as_of_day() }} - 90 and day < {{ as_of_day() }}

),

login_source as (

    select * from {{ ref('int_login_source') }}

),

logged_in as (

    select
        actor_days.account_id,
        actor_days.actor_id,
        actor_days.user_id,
        actor_days.is_in_7d,
        actor_days.is_in_30d,
        actor_days.session_count,
        actor_days.active_us,
        case
            when login_source.has_logins then actor_days.first_login_at
            else actor_days.first_session_at
        end as first_login_at,
        case
            when login_source.has_logins then actor_days.last_login_at
            else actor_days.last_session_at
        end as last_login_at

    from actor_days

    cross join login_source

),

final as (

    select
        account_id,
        actor_id,
        user_id,
        count(first_login_at) filter (where is_in_7d) as login_days_7d,
        count(first_login_at) filter (where is_in_30d) as login_days_30d,
        count(first_login_at) as login_days_90d,
        coalesce(sum(session_count) filter (where is_in_7d), 0) as sessions_7d,
        coalesce(sum(session_count) filter (where is_in_30d), 0) as sessions_30d,
        sum(session_count) as sessions_90d,
        coalesce(sum(active_us) filter (where is_in_30d), 0) as active_us_30d,
        epoch_us(max(last_login_at) filter (where is_in_7d))
        - epoch_us(min(first_login_at) filter (where is_in_7d)) as login_span_us_7d,
        epoch_us(max(last_login_at) filter (where is_in_30d))
        - epoch_us(min(first_login_at) filter (where is_in_30d)) as login_span_us_30d

    from logged_in

    group by account_id, actor_id, user_id

)

select * from final
