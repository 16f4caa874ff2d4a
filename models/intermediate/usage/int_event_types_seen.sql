-- One row per account, actor, event type and event name that ever happened: how often. It stays
-- when raw events are gone.

{{ config(materialized='table') }}

with

event_type_days as (

    select * from {{ ref('int_event_type_days') }}

),

final as (

    select
        account_id,
        actor_id,
        user_id,
        event_type,
        event_name,
        cast(sum(quantity) as bigint) as quantity

    from event_type_days

    where day < {{ as_of_day() }}

    group by account_id, actor_id, user_id, event_type, event_name

)

select * from final
