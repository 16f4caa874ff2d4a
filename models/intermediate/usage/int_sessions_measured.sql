-- One row per session: the length that its events' times add up to, 12 hours at most.

with

events as (

    select * from {{ ref('int_events_timed') }}

),

final as (

    select
        account_id,
        actor_id,
        day,
        session_id,
        session_number,
        cast(sum(active_us) as bigint) as session_us

    from events

    group by account_id, actor_id, day, session_id, session_number

)

select * from final
