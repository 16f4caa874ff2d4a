-- One row per account, actor, event type, event name and local day: how often it happened.

with

events as (

    select * from {{ ref('int_events_counted') }}

),

final as (

    select
        account_id,
        actor_id,
        user_id,
        event_type,
        event_name,
        day,
        count(*) as event_count,
        cast(sum(quantity) as bigint) as quantity

    from events

    group by account_id, actor_id, user_id, event_type, event_name, day

)

select * from final
