-- One row per account and local day with a session: how many there were, and how long (12 hours at
-- most, what their events' times add up to). A median is a half of two whole microseconds at worst.

with

events as (

    select * from {{ ref('int_events_timed') }}

),

sessions as (

    select
        account_id,
        actor_id,
        day,
        session_id,
        session_number,
        cast(sum(active_us) as bigint) as session_us

    from events

    group by account_id, actor_id, day, session_id, session_number

),

final as (

    select
        account_id,
        day,
        count(*) as session_count,
        cast(sum(session_us) as bigint) as sessions_us,
        median(session_us) as median_session_us

    from sessions

    group by account_id, day

)

select * from final
