-- One row per account and local day whose events, or what decides about them, changed since the
-- usage rollups were last finished. A day that a run began and did not finish stays touched; a day
-- too many costs its time and changes nothing.

{{ config(materialized='table', post_hook='{{ note_days_begun() }}') }}

with

event_days as (

    select * from {{ ref('stg_landing__event_days') }}

),

routes as (

    select * from {{ ref('int_usage_routes') }}

),

done as (

    select * from {{ ref('stg_rollups__done') }}

),

facts_before as (

    select * from {{ ref('stg_rollups__facts') }}

),

days_begun as (

    select * from {{ ref('stg_rollups__days_begun') }}

),

retention as (

    select * from {{ ref('stg_landing__retention') }}

    where table_name = 'events.events'

),

last_time as (

    select
        coalesce(max(change_id), 0) as change_id,
        coalesce(max(as_of), {{ as_of() }}) as as_of

    from done

),

changed_events as (

    -- What lies between two as-of instants counts now and did not then, or the other way round; so
    -- does the whole day that was not over at the one and is at the other.
    select
        event_days.source_account_id,
        event_days.first_at,
        event_days.last_at

    from event_days

    inner join last_time
        on
            event_days.change_id > last_time.change_id
            or (
                last_time.as_of <> {{ as_of() }}
                and event_days.last_at
                >= {{ first_instant(local_day('least(last_time.as_of, ' ~ as_of() ~ ')')) }}
                and event_days.first_at < greatest(last_time.as_of, {{ as_of() }})
            )

),

changed_facts as (

    (
        select * from routes
        except
        select * from facts_before
    )

    union

    (
        select * from facts_before
        except
        select * from routes
    )

),

counted_under as (

    select
        source_account_id,
        account_id
    from routes
    union
    select
        source_account_id,
        account_id
    from facts_before

),

touched as (

    select
        routes.account_id,
        {{ local_day('changed_events.first_at') }} as day

    from changed_events

    inner join routes on changed_events.source_account_id = routes.source_account_id

    union all

    select
        routes.account_id,
        {{ local_day('changed_events.last_at') }} as day

    from changed_events

    inner join routes on changed_events.source_account_id = routes.source_account_id

    union all

    -- A link that comes takes from what the id stood for without it, so all of them are touched.
    -- The day before and after as well: the time zone may be what changed.
    select
        counted_under.account_id,
        {{ local_day('event_days.first_at') }} + cast(shifts.days as integer) as day

    from changed_facts

    inner join counted_under
        on changed_facts.source_account_id = counted_under.source_account_id

    inner join event_days on changed_facts.source_account_id = event_days.source_account_id

    cross join range(-1, 3) as shifts (days)

    where
        {{ local_day('event_days.first_at') }}
        >= coalesce(changed_facts.first_day - 2, cast('-infinity' as date))
        and {{ local_day('event_days.last_at') }}
        <= coalesce(changed_facts.last_day + 2, cast('infinity' as date))

    union all

    select
        account_id,
        day

    from days_begun

),

retained as (

    select coalesce(max({{ local_day('retained_from') }}), cast('-infinity' as date)) as first_day

    from retention

),

final as (

    -- A day whose events were cut is never made anew: nothing of it would be left.
    select distinct
        touched.account_id,
        touched.day

    from touched

    inner join retained on touched.day >= retained.first_day

)

select * from final
