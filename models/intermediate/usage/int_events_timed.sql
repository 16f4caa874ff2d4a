-- One row per counted event of a day that is due, with its session and the time that it opens (spec
-- 30, first paragraph). A session belongs to one actor and one local day, so that a day's rollup
-- depends on that day alone. Time is in whole microseconds: sums of DOUBLE differ from run to run.

{{ config(
    materialized='table',
    pre_hook=[
        "{{ read_events_from(ref('int_usage_days_due')) }}",
        "{{ read_events_until(ref('int_usage_days_due')) }}",
    ],
    post_hook=["reset variable events_from", "reset variable events_until"]
) }}

{% set session_gap = 30 * 60 * 1000000 %}
{% set session_cap = 12 * 60 * 60 * 1000000 %}

with

events as (

    select * from {{ ref('int_events_counted') }}

),

spaced as (

    select
        *,
        epoch_us(occurred_at) as occurred_us,
        lag(epoch_us(occurred_at)) over (
            partition by account_id, actor_id, day, session_id
            order by occurred_at, event_id
        ) as previous_us

    from events

),

numbered as (

    -- A source's own session keeps its events together, whatever the gaps.
    select
        *,
        sum(
            case
                when session_id is not null then 0
                when previous_us is null or occurred_us - previous_us >= {{ session_gap }} then 1
                else 0
            end
        ) over (
            partition by account_id, actor_id, day, session_id
            order by occurred_at, event_id
            rows unbounded preceding
        ) as session_number

    from spaced

),

timed as (

    select
        *,
        coalesce(
            case
                when duration_seconds is not null
                    then
                        cast(
                            greatest(least(duration_seconds, {{ session_cap // 1000000 }}), 0)
                            * 1000000 as bigint
                        )
            end,
            lead(occurred_us) over (
                partition by account_id, actor_id, day, session_id, session_number
                order by occurred_at, event_id
            ) - occurred_us,
            0
        ) as opened_us,
        row_number() over (
            partition by account_id, actor_id, day, session_id, session_number
            order by occurred_at, event_id
        ) = 1 as is_session_start

    from numbered

),

summed as (

    select
        *,
        sum(opened_us) over (
            partition by account_id, actor_id, day, session_id, session_number
            order by occurred_at, event_id
            rows unbounded preceding
        ) as session_us

    from timed

),

final as (

    select
        event_id,
        account_id,
        actor_id,
        user_id,
        day,
        session_id,
        session_number,
        is_session_start,
        occurred_at,
        event_type,
        package,
        module,
        feature,
        quantity,
        device,
        is_activity,
        known_day,
        user_known_day,
        cast(
            least(session_us, {{ session_cap }}) - least(session_us - opened_us, {{ session_cap }})
            as bigint
        ) as active_us

    from summed

)

select * from final
