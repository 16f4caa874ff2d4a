-- One row per source per local day: the last day whose data the source had delivered, as known on
-- that day. A source that had not landed by then has no row: its metrics are undefined, not zero.

{{ config(materialized='table') }}

with

deliveries as (

    select * from {{ ref('stg_landing__deliveries') }}

),

accounts as (

    select * from {{ ref('int_accounts_dated') }}

),

reached as (

    -- A row dated in the future says nothing about how far its source has come.
    select
        source_name,
        least(
            coalesce(dt, {{ local_day('watermark_at') }}),
            greatest(dt, {{ known_day('first_as_of') }})
        ) as reached_on,
        {{ known_day("coalesce(known_at, cast('1900-01-01' as timestamp with time zone))") }}
            as known_day

    from deliveries

    where dt is not null or watermark_at is not null

),

first_days as (

    select min(first_day) as first_day from accounts

),

days as (

    select
        cast(
            unnest(generate_series(first_day, {{ as_of_day() }} - 1, interval 1 day)) as date
        ) as day

    from first_days

),

final as (

    select
        reached.source_name,
        days.day,
        max(least(reached.reached_on, days.day)) as watermark_on

    from days

    inner join reached on days.day >= reached.known_day

    group by all

)

select * from final
