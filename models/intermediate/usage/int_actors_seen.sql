-- One row per account and actor who ever had an event: when they first and last logged in and were
-- active. Where no source sends logins, a session's first event stands for one. They stay when raw
-- events are gone.

{{ config(materialized='table') }}

with

actor_days as (

    select * from {{ ref('int_actor_days') }}

    where day < {{ as_of_day() }}

),

login_source as (

    select * from {{ ref('int_login_source') }}

),

final as (

    select
        actor_days.account_id,
        actor_days.actor_id,
        actor_days.user_id,
        not login_source.has_logins as login_is_inferred,
        min(actor_days.day) as first_day,
        max_by(actor_days.last_device, actor_days.day) filter (
            where actor_days.last_device is not null
        ) as last_device,
        min(actor_days.first_activity_at) as first_seen_at,
        max(actor_days.last_activity_at) as last_seen_at,
        min(
            case
                when login_source.has_logins then actor_days.first_login_at
                else actor_days.first_session_at
            end
        ) as first_login_at,
        max(
            case
                when login_source.has_logins then actor_days.last_login_at
                else actor_days.last_session_at
            end
        ) as last_login_at

    from actor_days

    cross join login_source

    group by
        actor_days.account_id,
        actor_days.actor_id,
        actor_days.user_id,
        login_source.has_logins

)

select * from final
