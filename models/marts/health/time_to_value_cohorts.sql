-- One row per month of start and segment (tier and size band): how many accounts arrived at a value
-- event, and after how many days a quarter, half and three quarters had, by Kaplan and Meier: who
-- still waits counts for as long as it was watched. NULL where fewer ever arrived. Never a mean of
-- those who arrived: it forgets the others.

with

accounts as (

    select
        *,
        cast(date_trunc('month', started_on) as date) as month

    from {{ ref('time_to_value') }}

),

sizes as (

    select
        month,
        tier,
        size_band,
        count(*) as accounts,
        cast(count_if(not is_censored) as bigint) as arrived

    from accounts

    group by month, tier, size_band

),

by_days as (

    select
        month,
        tier,
        size_band,
        days,
        count_if(not is_censored) as arrived,
        sum(count(*)) over (
            partition by month, tier, size_band
            order by days desc
            rows unbounded preceding
        ) as at_risk

    from accounts

    group by month, tier, size_band, days

),

waiting as (

    -- The share that still waits after so many days.
    select
        *,
        round(
            product(1 - arrived / at_risk) over (
                partition by month, tier, size_band
                order by days
                rows unbounded preceding
            ),
            9
        ) as share_waiting

    from by_days

),

quantiles as (

    select
        month,
        tier,
        size_band,
        min(days) filter (where share_waiting <= 0.75) as p25_days,
        min(days) filter (where share_waiting <= 0.5) as median_days,
        min(days) filter (where share_waiting <= 0.25) as p75_days

    from waiting

    group by month, tier, size_band

),

final as (

    select
        sizes.month,
        sizes.tier,
        sizes.size_band,
        sizes.accounts,
        sizes.arrived,
        sizes.arrived / nullif(sizes.accounts, 0) as arrived_ratio,
        quantiles.p25_days,
        quantiles.median_days,
        quantiles.p75_days

    from sizes

    inner join quantiles
        on
            sizes.month = quantiles.month
            and sizes.tier = quantiles.tier
            and sizes.size_band = quantiles.size_band

)

select * from final
