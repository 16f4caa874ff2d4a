-- One row per account and actor who ever had an event: the lifetime counters that
-- seeds/lifetime_counters.csv maps kinds of events to. `*` is every type that is activity, or every
-- name.

with

seen as (

    select * from {{ ref('int_event_types_seen') }}

),

counters as (

    select * from {{ ref('lifetime_counters') }}

),

non_activity as (

    select * from {{ ref('non_activity_event_types') }}

),

kinds as (

    select distinct
        event_type,
        event_name

    from seen

),

counted as (

    -- A kind that two lines of a counter name counts once.
    select distinct
        kinds.event_type,
        kinds.event_name,
        counters.counter

    from kinds

    inner join counters
        on
            (counters.event_type = '*' or kinds.event_type = counters.event_type)
            and (counters.event_name = '*' or kinds.event_name = counters.event_name)

    left join non_activity on kinds.event_type = non_activity.event_type

    where counters.event_type <> '*' or non_activity.event_type is null

),

final as (

    select
        seen.account_id,
        seen.actor_id,
        sum(seen.quantity) filter (where counted.counter = 'events') as events,
        sum(seen.quantity) filter (where counted.counter = 'errors') as errors,
        sum(seen.quantity) filter (where counted.counter = 'shares') as shares,
        sum(seen.quantity) filter (where counted.counter = 'comments') as comments,
        sum(seen.quantity) filter (where counted.counter = 'redemptions') as redemptions,
        sum(seen.quantity) filter (
            where counted.counter = 'push_notifications_received'
        ) as push_notifications_received

    from seen

    left join counted
        on
            seen.event_type = counted.event_type
            and seen.event_name is not distinct from counted.event_name

    group by seen.account_id, seen.actor_id

)

select * from final
