-- One row per account, month and window of 1, 3 or 12 months that ends with it in which the
-- account moved: the sums of its movements, in the segments in which it stood at the window's
-- start. A window that begins before the first month of all is left out.

{{ config(materialized='table') }}

with

movements as (

    select * from {{ ref('fct_mrr_movements') }}

    where policy = 'standard' and movement <> 'fx'

),

mrr as (

    select * from {{ ref('fct_mrr_monthly') }}

),

accounts_monthly as (

    select * from {{ ref('dim_accounts_monthly') }}

),

bounds as (

    select
        min(month) as first_month,
        max(month) as last_month

    from mrr

),

first_months as (

    select
        account_id,
        min(month) as first_month

    from accounts_monthly

    group by account_id

),

moved as (

    select
        account_id,
        month as moved_month,
        coalesce(sum(amount) filter (where movement = 'reactivation'), 0) as reactivation_mrr,
        coalesce(sum(amount) filter (where movement = 'expansion'), 0) as expansion_mrr,
        coalesce(sum(amount) filter (where movement = 'contraction'), 0) as contraction_mrr,
        coalesce(sum(amount) filter (where movement = 'churn'), 0) as churn_mrr,
        count(*) filter (where movement = 'new') as new_count,
        count(*) filter (where movement = 'churn') as churn_count

    from movements

    group by account_id, month

),

windows as (

    select
        *,
        unnest([1, 3, 12]) as window_months

    from moved

),

spread as (

    select
        *,
        cast(moved_month + to_months(cast(unnest(range(window_months)) as integer)) as date)
            as month

    from windows

),

summed as (

    select
        spread.account_id,
        spread.month,
        spread.window_months,
        cast(spread.month - to_months(cast(spread.window_months as integer)) as date)
            as month_before,
        sum(spread.reactivation_mrr) as reactivation_mrr,
        sum(spread.expansion_mrr) as expansion_mrr,
        sum(spread.contraction_mrr) as contraction_mrr,
        sum(spread.churn_mrr) as churn_mrr,
        sum(spread.new_count) as new_count,
        sum(spread.churn_count) as churn_count

    from spread

    inner join bounds
        on
            spread.month <= bounds.last_month
            and spread.month - to_months(cast(spread.window_months - 1 as integer))
            >= bounds.first_month

    group by spread.account_id, spread.month, spread.window_months

),

final as (

    select
        summed.account_id,
        summed.month,
        summed.window_months,
        {{ segment('accounts_monthly.tier') }} as tier,
        {{ segment('accounts_monthly.region') }} as region,
        {{ segment('accounts_monthly.product_line') }} as product_line,
        {{ segment('accounts_monthly.size_band') }} as size_band,
        cast(summed.reactivation_mrr as decimal(18, 2)) as reactivation_mrr,
        cast(summed.expansion_mrr as decimal(18, 2)) as expansion_mrr,
        cast(summed.contraction_mrr as decimal(18, 2)) as contraction_mrr,
        cast(summed.churn_mrr as decimal(18, 2)) as churn_mrr,
        cast(summed.new_count as bigint) as new_count,
        cast(summed.churn_count as bigint) as churn_count

    from summed

    inner join first_months on summed.account_id = first_months.account_id

    left join accounts_monthly
        on
            summed.account_id = accounts_monthly.account_id
            and accounts_monthly.month = greatest(summed.month_before, first_months.first_month)

)

select * from final
