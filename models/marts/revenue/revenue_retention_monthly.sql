-- One row per month, window of 1, 3 or 12 months that ends with it, attribute to cut by and
-- value of it: what became of the accounts that paid just before the window's start, at the
-- rates of the start, and the movements of all accounts inside it. Segment = the account's at
-- the window's start.

with

followed as (

    select * from {{ ref('int_retention_accounts_followed') }}

),

windowed as (

    select * from {{ ref('int_retention_movements_windowed') }}

),

parts as (

    select
        month,
        window_months,
        tier,
        region,
        product_line,
        size_band,
        count(*) as starting_accounts,
        count(*) filter (where ending_mrr_with_fx = 0) as lost_accounts,
        sum(starting_mrr) as starting_mrr,
        sum(ending_mrr) as ending_mrr,
        sum(least(starting_mrr, ending_mrr)) as retained_mrr,
        sum(ending_mrr_with_fx) as ending_mrr_with_fx

    from followed

    group by all

    union all by name

    select
        month,
        window_months,
        tier,
        region,
        product_line,
        size_band,
        sum(reactivation_mrr) as reactivation_mrr,
        sum(expansion_mrr) as expansion_mrr,
        sum(contraction_mrr) as contraction_mrr,
        sum(churn_mrr) as churn_mrr,
        sum(new_count) as new_count,
        sum(churn_count) as churn_count

    from windowed

    group by all

),

placed as (

    select
        *,
        unnest(
            [
                { 'segment_by': 'all', 'segment': '(all)' },
                { 'segment_by': 'tier', 'segment': tier },
                { 'segment_by': 'region', 'segment': region },
                { 'segment_by': 'product_line', 'segment': product_line },
                { 'segment_by': 'size_band', 'segment': size_band }
            ]
        ) as place

    from parts

),

summed as (

    select
        month,
        window_months,
        place['segment_by'] as segment_by,
        place['segment'] as segment,
        cast(coalesce(sum(starting_accounts), 0) as bigint) as starting_accounts,
        cast(coalesce(sum(lost_accounts), 0) as bigint) as lost_accounts,
        cast(coalesce(sum(new_count), 0) as bigint) as new_count,
        cast(coalesce(sum(churn_count), 0) as bigint) as churn_count,
        cast(coalesce(sum(starting_mrr), 0) as decimal(18, 2)) as starting_mrr,
        cast(coalesce(sum(ending_mrr), 0) as decimal(18, 2)) as ending_mrr,
        cast(coalesce(sum(retained_mrr), 0) as decimal(18, 2)) as retained_mrr,
        cast(coalesce(sum(ending_mrr_with_fx), 0) as decimal(18, 2)) as ending_mrr_with_fx,
        cast(coalesce(sum(reactivation_mrr), 0) as decimal(18, 2)) as reactivation_mrr,
        cast(coalesce(sum(expansion_mrr), 0) as decimal(18, 2)) as expansion_mrr,
        cast(coalesce(sum(contraction_mrr), 0) as decimal(18, 2)) as contraction_mrr,
        cast(coalesce(sum(churn_mrr), 0) as decimal(18, 2)) as churn_mrr

    from placed

    group by all

),

final as (

    select
        month,
        window_months,
        segment_by,
        segment,
        starting_accounts,
        starting_accounts - lost_accounts as retained_accounts,
        lost_accounts as churned_accounts,
        new_count as stripe_new_subscribers,
        churn_count as stripe_churned_subscribers,
        starting_accounts + new_count as stripe_subscribers,
        starting_mrr,
        ending_mrr,
        retained_mrr,
        ending_mrr_with_fx,
        reactivation_mrr,
        expansion_mrr,
        contraction_mrr,
        churn_mrr,
        cast(churn_mrr + contraction_mrr as decimal(18, 2)) as gross_churned_mrr,
        cast(
            churn_mrr + contraction_mrr - expansion_mrr - reactivation_mrr as decimal(18, 2)
        ) as net_churned_mrr,
        cast(retained_mrr as double) / nullif(starting_mrr, 0) as gross_revenue_retention_ratio,
        cast(ending_mrr as double) / nullif(starting_mrr, 0) as net_revenue_retention_ratio,
        cast(ending_mrr_with_fx as double) / nullif(starting_mrr, 0)
            as net_revenue_retention_with_fx_ratio,
        cast(churn_mrr + contraction_mrr as double) / nullif(starting_mrr, 0)
            as gross_mrr_churn_ratio,
        cast(churn_mrr + contraction_mrr - expansion_mrr - reactivation_mrr as double)
        / nullif(starting_mrr, 0) as net_mrr_churn_ratio,
        cast(lost_accounts as double) / nullif(starting_accounts, 0) as logo_churn_ratio,
        cast(churn_count as double) / nullif(starting_accounts + new_count, 0)
            as stripe_logo_churn_ratio,
        window_months = 12 as is_headline,
        {{ month_instant('month + interval 1 month') }} > {{ as_of() }} as is_partial

    from summed

)

select * from final
