-- The accounts' contributions sum to NRR - 1, and rate and mix to its change against the window
-- that ended a month earlier, within a billionth.
with

drivers as (

    select
        month,
        window_months,
        sum(contribution) as contribution,
        sum(rate_effect + mix_effect) as change

    from {{ ref('revenue_retention_drivers') }}

    group by month, window_months

),

retention as (

    select * from {{ ref('revenue_retention_monthly') }}

    where segment_by = 'all' and starting_mrr > 0

),

compared as (

    select
        retention.month,
        retention.window_months,
        retention.net_revenue_retention_ratio,
        months_before.net_revenue_retention_ratio as last_ratio,
        coalesce(drivers.contribution, 0) as contribution,
        coalesce(drivers.change, 0) as change

    from retention

    left join retention as months_before
        on
            retention.month = months_before.month + interval 1 month
            and retention.window_months = months_before.window_months

    left join drivers
        on
            retention.month = drivers.month
            and retention.window_months = drivers.window_months

)

select * from compared

where
    abs(net_revenue_retention_ratio - 1 - contribution)
    > 1e-9 * greatest(1, net_revenue_retention_ratio)
    or abs(net_revenue_retention_ratio - last_ratio - change)
    > 1e-9 * greatest(1, net_revenue_retention_ratio, last_ratio)
