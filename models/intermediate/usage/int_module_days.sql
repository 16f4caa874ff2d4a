-- One row per account, module, actor and local day: the user-module-day rollup. `(none)` is the
-- module of an event without one, so that the modules' time adds up to the account's.

{{ config(materialized='table') }}

with

events as (

    select * from {{ ref('int_events_timed') }}

),

final as (

    select
        account_id,
        module,
        actor_id,
        user_id,
        day,
        bool_or(event_type = 'use') as is_used,
        cast(sum(active_us) as bigint) as active_us,
        cast(sum(case when event_type = 'use' then quantity else 0 end) as bigint) as use_count

    from events

    group by account_id, module, actor_id, user_id, day

)

select * from final
