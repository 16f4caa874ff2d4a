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

starts as (

    select
        account_id,
        month as first_month,
        starting_mrr,
        unnest([1, 3, 12]) as window_months

    from mrr

    where starting_mrr > 0

),

windows as (

    select
        starts.account_id,
        ends.month,
        starts.window_months,
        starts.first_month,
        cast(starts.first_month - interval 1 month as date) as month_before,
        starts.starting_mrr,
        ends.ending_mrr

    from starts

    inner join mrr as ends
        on
            starts.account_id = ends.account_id
            and ends.month
            = starts.first_month + to_months(cast(starts.window_months - 1 as integer))

),

in_force as (

    -- Items in another currency just before the month's end.
    select
        mrr.account_id,
        mrr.month,
        amounts.currency,
        amounts.net_picos,
        amounts.per_months,
        amounts.amount

    from mrr

    inner join amounts
        on
            mrr.account_id = amounts.account_id
            and amounts.starts_at
            < least({{ first_instant('mrr.month + interval 1 month') }}, {{ as_of() }})
            and (
                amounts.ends_at is null
                or amounts.ends_at
                >= least({{ first_instant('mrr.month + interval 1 month') }}, {{ as_of() }})
            )

),

rerated as (

    select
        windows.account_id,
        windows.month,
        windows.window_months,
        sum(
            {{ reporting_amount(
                'in_force.net_picos', 'in_force.per_months', 'fx_rates.rate'
            ) }}
            - in_force.amount
        ) as difference

    from windows

    inner join in_force
        on windows.account_id = in_force.account_id and windows.month = in_force.month

    inner join fx_rates
        on
            in_force.currency = fx_rates.currency
            and windows.month_before = fx_rates.month

    group by windows.account_id, windows.month, windows.window_months

),

final as (

    select
        windows.account_id,
        windows.month,
        windows.window_months,
        {{ segment('accounts_monthly.tier') }} as tier,
        {{ segment('accounts_monthly.region') }} as region,
        {{ segment('accounts_monthly.product_line') }} as product_line,
        {{ segment('accounts_monthly.size_band') }} as size_band,
        windows.starting_mrr,
        cast(
            windows.ending_mrr + coalesce(rerated.difference, 0) as decimal(18, 2)
        ) as ending_mrr,
        windows.ending_mrr as ending_mrr_with_fx

    from windows

    inner join first_months on windows.account_id = first_months.account_id

    left join accounts_monthly
        on
            windows.account_id = accounts_monthly.account_id
            and accounts_monthly.month
            = greatest(windows.month_before, first_months.first_month)

    left join rerated
        on
            windows.account_id = rerated.account_id
            and windows.month = rerated.month
            and windows.window_months = rerated.window_months

)

select * from final
