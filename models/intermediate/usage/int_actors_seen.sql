-- One row per account and actor who ever had an event on a full day: when they first and last
-- logged in and were active. Where no source sends logins, a session's first event stands for one.
-- They stay when raw events are gone.

{{ config(materialized='table', tags=['kept']) }}

with

actor_months as (

    select * from {{ ref('int_actor_months') }}

),

login_source as (

    select * from {{ ref('int_login_source') }}

),

final as (

    select
        actor_months.account_id,
        actor_months.actor_id,
        actor_months.user_id,
        not login_source.has_logins as login_is_inferred,
        min(actor_months.first_day) as first_day,
        min(actor_months.first_known_day) as first_known_day,
        max_by(actor_months.last_device, actor_months.last_device_on) as last_device,
        min(actor_months.first_activity_at) as first_seen_at,
        max(actor_months.last_activity_at) as last_seen_at,
        min(
            case
                when login_source.has_logins then actor_months.first_login_at
                else actor_months.first_session_at
            end
        ) as first_login_at,
        max(
            case
                when login_source.has_logins then actor_months.last_login_at
                else actor_months.last_session_at
            end
        ) as last_login_at

    from actor_months

    cross join login_source

    group by
        actor_months.account_id,
        actor_months.actor_id,
        actor_months.user_id,
        login_source.has_logins

)

select * from final
