-- One row per account per local day: the health that was shown for that day, from what was known
-- and configured then. The slope is least squares over the days with a score among the last 28,
-- since the profile or the configuration last changed; under 7 such days it is NULL.

with

recorded as (

    select * from {{ ref('stg_history__fct_account_health_daily') }}

),

scored as (

    select
        *,
        cast(null as double) as slope,
        cast(null as varchar) as arrow,
        '{{ var("configuration_version") }}' as configuration_version

    from {{ ref('int_account_health_scored') }}

),

shown as (

    select
        *,
        false as is_recorded

    from scored

    union all by name

    select
        *,
        true as is_recorded

    from recorded

),

compared as (

    select
        *,
        coalesce(
            configuration_version
            = lag(configuration_version) over (partition by account_id order by day)
            and profile = lag(profile) over (partition by account_id order by day),
            false
        ) as is_judged_as_before

    from shown

),

judged as (

    select
        *,
        sum(case when is_judged_as_before then 0 else 1 end) over (
            partition by account_id order by day rows unbounded preceding
        ) as judgement,
        day - cast('2000-01-01' as date) as day_number

    from compared

),

summed as (

    -- Sums of whole numbers and decimals: the slope is divided once, and equal again on every run.
    select
        *,
        count(score) over last_28_days as n,
        sum(case when score is not null then day_number end) over last_28_days as sum_x,
        sum(score) over last_28_days as sum_y,
        sum(case when score is not null then day_number * day_number end)
            over last_28_days as sum_xx,
        sum(cast(score as decimal(20, 6)) * day_number) over last_28_days as sum_xy

    from judged

    window
        last_28_days as (
            partition by account_id, judgement
            order by day
            range between interval 27 days preceding and current row
        )

),

sloped as (

    select
        *,
        case
            when n >= 7
                then
                    round(
                        cast(n * sum_xy - sum_x * sum_y as double)
                        / nullif(n * sum_xx - sum_x * sum_x, 0),
                        9
                    )
        end as measured_slope

    from summed

),

final as (

    select
        account_id,
        day,
        profile,
        cast(score as decimal(9, 6)) as score,
        state,
        unknown_reason,
        coverage,
        cast(raw_score as decimal(9, 6)) as raw_score,
        cast(case when is_recorded then slope else measured_slope end as double) as slope,
        case
            when is_recorded then arrow
            when measured_slope * 28 > 3 then 'up'
            when measured_slope * 28 < -3 then 'down'
            when measured_slope is not null then 'flat'
        end as arrow,
        configuration_version

    from sloped

)

select * from final
