-- One row per account that paid just before a window's start, and window: 1, 3 or 12 months that
-- end with a month. What it paid then and what it pays just before the window's end, once as it
-- is (with fx) and once at the rates of the start; in the segments in which it stood at the
-- window's start. A currency without a rate at the start keeps its rate of the end.

{{ config(materialized='table') }}

with

mrr as (

    select * from {{ ref('fct_mrr_monthly') }}

    where policy = 'standard'

),

accounts_monthly as (

    select * from {{ ref('dim_accounts_monthly') }}

),

amounts as (

    select * from {{ ref('int_subscription_item_amounts') }}

    where policy = 'standard' and currency <> '{{ var("reporting_currency") }}'

),

fx_rates as (

    select * from {{ ref('int_fx_rates_monthly') }}

),

first_months as (

    select
        account_id,
        min(month) as first_month

    from accounts_monthly

    group by account_id

),

window_lengths as (

    select unnest([1, 3, 12]) as window_months

),

starts as (

    select
        mrr.account_id,
        mrr.month as first_month,
        mrr.starting_mrr,
        {{ segment('accounts_monthly.tier') }} as tier,
        {{ segment('accounts_monthly.region') }} as region,
        {{ segment('accounts_monthly.product_line') }} as product_line,
        {{ segment('accounts_monthly.size_band') }} as size_band

    from mrr

    inner join first_months on mrr.account_id = first_months.account_id

    left join accounts_monthly
        on
            mrr.account_id = accounts_monthly.account_id
            and accounts_monthly.month
            = greatest(cast(mrr.month - interval 1 month as date), first_months.first_month)

    where mrr.starting_mrr > 0

),

windows as (

    select
        starts.*,
        window_lengths.window_months,
        cast(
            starts.first_month + to_months(cast(window_lengths.window_months - 1 as integer))
            as date
        ) as month

    from starts

    cross join window_lengths

),

in_force as (

    -- Items in another currency just before the end of a month.
    select
        account_id,
        currency,
        net_picos,
        per_months,
        amount,
        ends_at,
        cast(
            unnest(
                generate_series(
                    {{ local_month('starts_at') }},
                    least({{ local_month('ends_at') }}, date_trunc('month', {{ as_of_day() }} - 1)),
                    interval 1 month
                )
            ) as date
        ) as month

    from amounts

),

first_rates as (

    -- The rate before a window's start, by the month with which the window ends.
    select
        fx_rates.currency,
        fx_rates.rate,
        window_lengths.window_months,
        cast(fx_rates.month + to_months(cast(window_lengths.window_months as integer)) as date)
            as month

    from fx_rates

    cross join window_lengths

),

rerated as (

    select
        in_force.account_id,
        in_force.month,
        first_rates.window_months,
        {{ reporting_amount('in_force.net_picos', 'in_force.per_months', 'first_rates.rate') }}
        - in_force.amount as difference

    from in_force

    inner join first_rates
        on in_force.currency = first_rates.currency and in_force.month = first_rates.month

    where
        in_force.ends_at is null
        or in_force.ends_at
        >= least({{ month_instant('in_force.month + interval 1 month') }}, {{ as_of() }})

),

differences as (

    select
        account_id,
        month,
        sum(difference) filter (where window_months = 1) as difference_1,
        sum(difference) filter (where window_months = 3) as difference_3,
        sum(difference) filter (where window_months = 12) as difference_12

    from rerated

    group by account_id, month

),

ends as (

    select
        mrr.account_id,
        mrr.month,
        mrr.ending_mrr,
        differences.difference_1,
        differences.difference_3,
        differences.difference_12

    from mrr

    left join differences
        on mrr.account_id = differences.account_id and mrr.month = differences.month

),

final as (

    select
        windows.account_id,
        windows.month,
        windows.window_months,
        windows.tier,
        windows.region,
        windows.product_line,
        windows.size_band,
        windows.starting_mrr,
        cast(
            ends.ending_mrr + coalesce(
                case windows.window_months
                    when 1 then ends.difference_1
                    when 3 then ends.difference_3
                    else ends.difference_12
                end,
                0
            ) as decimal(18, 2)
        ) as ending_mrr,
        ends.ending_mrr as ending_mrr_with_fx

    from windows

    inner join ends on windows.account_id = ends.account_id and windows.month = ends.month

)

select * from final
