-- One row per account, actor and local day with an event: the user-day rollup. user_id is NULL for
-- anonymous and nameless actors, who count in an account's totals and never in its users.

{{ config(materialized='table') }}

with

events as (

    select * from {{ ref('int_events_timed') }}

),

final as (

    select
        account_id,
        actor_id,
        user_id,
        day,
        bool_or(is_activity) as is_active,
        cast(sum(active_us) as bigint) as active_us,
        count_if(is_session_start) as session_count,
        cast(sum(case when event_type = 'login' then quantity else 0 end) as bigint) as login_count,
        cast(sum(case when event_type = 'error' then quantity else 0 end) as bigint) as error_count,
        max(case when event_type = 'login' then occurred_at end) as last_login_at,
        max(case when is_session_start then occurred_at end) as last_session_at,
        max(case when is_activity then occurred_at end) as last_activity_at,
        min(known_day) as known_day,
        min(case when is_activity then known_day end) as active_known_day

    from events

    group by account_id, actor_id, user_id, day

)

select * from final
