-- One row per counted event of a day that is due, with its session and the time that it opens (spec
-- 30, first paragraph). A session belongs to one actor and one local day, so that a day's rollup
-- depends on that day alone. Time is in whole microseconds: sums of DOUBLE differ from run to run.

{{ config(
    materialized='table',
    tags=['rollup'],
    pre_hook="{{ read_events_of(ref('int_usage_days_due')) }}",
    post_hook="{{ read_all_events() }}"
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
        date_diff('microsecond', lag(occurred_at) over actor_day, occurred_at) as us_since_last,
        date_diff('microsecond', occurred_at, lead(occurred_at) over actor_day) as us_to_next

    from events

    window
        actor_day as (
            partition by account_id, actor_id, day, session_id order by occurred_at, event_id
        )

),

opened as (

    -- A source's own session keeps its events together, whatever the gaps.
    select
        *,
        case
            when session_id is not null then us_since_last is null
            else us_since_last is null or us_since_last >= {{ session_gap }}
        end as is_session_start,
        case
            when duration_seconds is not null
                then
                    cast(
                        greatest(least(duration_seconds, {{ session_cap // 1000000 }}), 0)
                        * 1000000 as bigint
                    )
            when session_id is not null or us_to_next < {{ session_gap }}
                then coalesce(us_to_next, 0)
            else 0
        end as opened_us

    from spaced

),

summed as (

    select
        *,
        cast(sum(opened_us) over actor_day_so_far as bigint) as day_us,
        case
            when session_id is null
                then count_if(is_session_start) over actor_day_so_far
            else 0
        end as session_number

    from opened

    window
        actor_day_so_far as (
            partition by account_id, actor_id, day, session_id
            order by occurred_at, event_id
            rows unbounded preceding
        )

),

capped as (

    -- The day's time up to a session's start only grows, so the greatest is this session's.
    select
        *,
        day_us - max(case when is_session_start then day_us - opened_us end) over (
            partition by account_id, actor_id, day, session_id
            order by occurred_at, event_id
            rows unbounded preceding
        ) as session_us

    from summed

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

    from capped

)

select * from final
