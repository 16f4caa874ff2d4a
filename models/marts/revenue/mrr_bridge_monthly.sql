-- One row per local month, attribute to cut by and value of it: what leads from the MRR before
-- the month to that at its end. An account stands in the segment of its month's end; one that
-- was in another segment the month before moves what it starts with by transfer, zero in total.
-- By plan the grain is the item and the plan is its product (int_bridge_plans_moved).

with

mrr as (

    select * from {{ ref('fct_mrr_monthly') }}

    where policy = 'standard'

),

accounts_monthly as (

    select * from {{ ref('dim_accounts_monthly') }}

),

plans_moved as (

    select * from {{ ref('int_bridge_plans_moved') }}

),

attributed as (

    select
        mrr.account_id,
        mrr.month,
        mrr.starting_mrr,
        mrr.new_mrr,
        mrr.reactivation_mrr,
        mrr.expansion_mrr,
        mrr.contraction_mrr,
        mrr.churn_mrr,
        mrr.fx_mrr,
        mrr.ending_mrr,
        {{ segment('accounts_monthly.tier') }} as tier,
        {{ segment('accounts_monthly.region') }} as region,
        {{ segment('accounts_monthly.product_line') }} as product_line,
        {{ segment('accounts_monthly.size_band') }} as size_band

    from mrr

    left join accounts_monthly
        on mrr.account_id = accounts_monthly.account_id and mrr.month = accounts_monthly.month

),

followed as (

    select
        *,
        lag(tier, 1, tier) over account_so_far as tier_before,
        lag(region, 1, region) over account_so_far as region_before,
        lag(product_line, 1, product_line) over account_so_far as product_line_before,
        lag(size_band, 1, size_band) over account_so_far as size_band_before

    from attributed

    window account_so_far as (partition by account_id order by month)

),

grouped as (

    -- Few rows from here on.
    select
        month,
        tier,
        region,
        product_line,
        size_band,
        tier_before,
        region_before,
        product_line_before,
        size_band_before,
        sum(starting_mrr) as starting_mrr,
        sum(new_mrr) as new_mrr,
        sum(reactivation_mrr) as reactivation_mrr,
        sum(expansion_mrr) as expansion_mrr,
        sum(contraction_mrr) as contraction_mrr,
        sum(churn_mrr) as churn_mrr,
        sum(fx_mrr) as fx_mrr,
        sum(ending_mrr) as ending_mrr,
        count(*) filter (where starting_mrr > 0) as starting_accounts,
        count(*) filter (where new_mrr > 0) as new_accounts,
        count(*) filter (where reactivation_mrr > 0) as reactivated_accounts,
        count(*) filter (where expansion_mrr > 0) as expanded_accounts,
        count(*) filter (where contraction_mrr > 0) as contracted_accounts,
        count(*) filter (where churn_mrr > 0) as churned_accounts,
        count(*) filter (where ending_mrr > 0) as ending_accounts

    from followed

    group by all

),

placed as (

    select
        *,
        unnest(
            [
                { 'segment_by': 'all', 'segment': '(all)', 'before': '(all)' },
                { 'segment_by': 'tier', 'segment': tier, 'before': tier_before },
                { 'segment_by': 'region', 'segment': region, 'before': region_before },
                {
                    'segment_by': 'product_line',
                    'segment': product_line,
                    'before': product_line_before
                },
                { 'segment_by': 'size_band', 'segment': size_band, 'before': size_band_before }
            ]
        ) as place

    from grouped

),

arrived as (

    select
        month,
        place['segment_by'] as segment_by,
        place['segment'] as segment,
        new_mrr,
        reactivation_mrr,
        expansion_mrr,
        contraction_mrr,
        churn_mrr,
        fx_mrr,
        ending_mrr,
        new_accounts,
        reactivated_accounts,
        expanded_accounts,
        contracted_accounts,
        churned_accounts,
        ending_accounts,
        case when place['segment'] <> place['before'] then starting_mrr end as transfer_in,
        case when place['segment'] <> place['before'] then starting_accounts end
            as transferred_in_accounts

    from placed

),

left_behind as (

    select
        month,
        place['segment_by'] as segment_by,
        place['before'] as segment,
        starting_mrr,
        starting_accounts,
        case when place['segment'] <> place['before'] then starting_mrr end as transfer_out,
        case when place['segment'] <> place['before'] then starting_accounts end
            as transferred_out_accounts

    from placed

),

plan_months as (

    select
        plan,
        cast(
            unnest(
                generate_series(
                    min(month),
                    date_trunc('month', {{ as_of_day() }} - 1),
                    interval 1 month
                )
            ) as date
        ) as month

    from plans_moved

    group by plan

),

plan_sums as (

    select
        month,
        plan,
        sum(moved_mrr) filter (where movement = 'new') as new_mrr,
        sum(moved_mrr) filter (where movement = 'reactivation') as reactivation_mrr,
        sum(moved_mrr) filter (where movement = 'expansion') as expansion_mrr,
        sum(moved_mrr) filter (where movement = 'contraction') as contraction_mrr,
        sum(moved_mrr) filter (where movement = 'churn') as churn_mrr,
        sum(fx_mrr) as fx_mrr,
        sum(transfer_in) as transfer_in,
        sum(transfer_out) as transfer_out,
        sum(balance_change) as balance_change,
        count(distinct account_id) filter (where movement = 'new') as new_accounts,
        count(distinct account_id) filter (where movement = 'reactivation')
            as reactivated_accounts,
        count(distinct account_id) filter (where movement = 'expansion') as expanded_accounts,
        count(distinct account_id) filter (where movement = 'contraction')
            as contracted_accounts,
        count(distinct account_id) filter (where movement = 'churn') as churned_accounts,
        count(distinct account_id) filter (where transfer_in > 0) as transferred_in_accounts,
        count(distinct account_id) filter (where transfer_out > 0) as transferred_out_accounts

    from plans_moved

    group by month, plan

),

account_plan_balances as (

    select
        account_id,
        plan,
        month,
        sum(sum(balance_change)) over (
            partition by account_id, plan order by month rows unbounded preceding
        ) as balance

    from plans_moved

    group by account_id, plan, month

),

account_plans_flagged as (

    select
        *,
        cast(balance > 0 as bigint)
        - cast(
            coalesce(lag(balance) over (partition by account_id, plan order by month), 0) > 0
            as bigint
        ) as paying_change

    from account_plan_balances

),

plan_accounts as (

    select
        month,
        plan,
        sum(paying_change) as paying_change

    from account_plans_flagged

    group by month, plan

),

plans as (

    select
        plan_months.month,
        'plan' as segment_by,
        plan_months.plan as segment,
        plan_sums.new_mrr,
        plan_sums.reactivation_mrr,
        plan_sums.expansion_mrr,
        plan_sums.contraction_mrr,
        plan_sums.churn_mrr,
        plan_sums.fx_mrr,
        plan_sums.transfer_in,
        plan_sums.transfer_out,
        plan_sums.new_accounts,
        plan_sums.reactivated_accounts,
        plan_sums.expanded_accounts,
        plan_sums.contracted_accounts,
        plan_sums.churned_accounts,
        plan_sums.transferred_in_accounts,
        plan_sums.transferred_out_accounts,
        sum(coalesce(plan_sums.balance_change, 0)) over plan_so_far as ending_mrr,
        sum(coalesce(plan_sums.balance_change, 0)) over plan_so_far
        - coalesce(plan_sums.balance_change, 0) as starting_mrr,
        sum(coalesce(plan_accounts.paying_change, 0)) over plan_so_far as ending_accounts,
        sum(coalesce(plan_accounts.paying_change, 0)) over plan_so_far
        - coalesce(plan_accounts.paying_change, 0) as starting_accounts

    from plan_months

    left join plan_sums
        on plan_months.plan = plan_sums.plan and plan_months.month = plan_sums.month

    left join plan_accounts
        on plan_months.plan = plan_accounts.plan and plan_months.month = plan_accounts.month

    window
        plan_so_far as (
            partition by plan_months.plan order by plan_months.month rows unbounded preceding
        )

),

parts as (

    select * from arrived
    union all by name
    select * from left_behind
    union all by name
    select * from plans

),

summed as (

    select
        month,
        segment_by,
        segment,
        cast(coalesce(sum(starting_mrr), 0) as decimal(18, 2)) as starting_mrr,
        cast(coalesce(sum(new_mrr), 0) as decimal(18, 2)) as new_mrr,
        cast(coalesce(sum(reactivation_mrr), 0) as decimal(18, 2)) as reactivation_mrr,
        cast(coalesce(sum(expansion_mrr), 0) as decimal(18, 2)) as expansion_mrr,
        cast(coalesce(sum(contraction_mrr), 0) as decimal(18, 2)) as contraction_mrr,
        cast(coalesce(sum(churn_mrr), 0) as decimal(18, 2)) as churn_mrr,
        cast(coalesce(sum(fx_mrr), 0) as decimal(18, 2)) as fx_mrr,
        cast(coalesce(sum(transfer_in), 0) as decimal(18, 2)) as transfer_in,
        cast(coalesce(sum(transfer_out), 0) as decimal(18, 2)) as transfer_out,
        cast(coalesce(sum(ending_mrr), 0) as decimal(18, 2)) as ending_mrr,
        cast(coalesce(sum(starting_accounts), 0) as bigint) as starting_accounts,
        cast(coalesce(sum(new_accounts), 0) as bigint) as new_accounts,
        cast(coalesce(sum(reactivated_accounts), 0) as bigint) as reactivated_accounts,
        cast(coalesce(sum(expanded_accounts), 0) as bigint) as expanded_accounts,
        cast(coalesce(sum(contracted_accounts), 0) as bigint) as contracted_accounts,
        cast(coalesce(sum(churned_accounts), 0) as bigint) as churned_accounts,
        cast(coalesce(sum(transferred_in_accounts), 0) as bigint) as transferred_in_accounts,
        cast(coalesce(sum(transferred_out_accounts), 0) as bigint) as transferred_out_accounts,
        cast(coalesce(sum(ending_accounts), 0) as bigint) as ending_accounts

    from parts

    group by month, segment_by, segment

),

measured as (

    select
        *,
        cast(new_mrr + reactivation_mrr + expansion_mrr as decimal(18, 2)) as gained_mrr,
        cast(contraction_mrr + churn_mrr as decimal(18, 2)) as lost_mrr

    from summed

),

final as (

    select
        *,
        cast(gained_mrr as double) / nullif(lost_mrr, 0) as quick_ratio,
        {{ month_instant('month + interval 1 month') }} > {{ as_of() }} as is_partial

    from measured

)

select * from final
