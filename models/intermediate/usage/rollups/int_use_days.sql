-- One row per account, module, feature, local day and first daily row that may count it: quantity
-- of use. What lands late has a row of its own, so that a day's row counts what it knew, no more.

with

events as (

    select * from {{ ref('int_events_timed') }}

),

final as (

    select
        account_id,
        module,
        feature,
        day,
        greatest(day, known_day) as first_day,
        cast(sum(quantity) as bigint) as use_count

    from events

    where event_type = 'use'

    group by all

)

select * from final
