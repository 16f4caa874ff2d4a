-- One row per account, actor, event type, event name, local day and first daily rows that may count
-- it, for the account and as its user's: how often it happened. What lands late has a row of its
-- own, and so has what an anonymous visitor did who was identified later.

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
        greatest(day, known_day) as first_day,
        greatest(day, user_known_day) as user_first_day,
        count(*) as event_count,
        cast(sum(quantity) as bigint) as quantity

    from events

    group by
        account_id,
        actor_id,
        user_id,
        event_type,
        event_name,
        day,
        greatest(day, known_day),
        greatest(day, user_known_day)

)

select * from final
