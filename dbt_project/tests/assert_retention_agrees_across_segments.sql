-- The segments of every attribute sum to everybody's, GRR is never above 1 nor above NRR, and
-- the starting MRR of a window is that of its first month.
with

retention as (

    select * from {{ ref('revenue_retention_monthly') }}

),

summed as (

    select
        month,
        window_months,
        segment_by,
        sum(starting_mrr) as starting_mrr,
        sum(ending_mrr) as ending_mrr,
        sum(retained_mrr) as retained_mrr,
        sum(starting_accounts) as starting_accounts,
        sum(churned_accounts) as churned_accounts,
        bool_or(retained_mrr > least(starting_mrr, ending_mrr)) as is_out_of_bounds

    from retention

    group by month, window_months, segment_by

),

starts as (

    select
        month,
        sum(starting_mrr) filter (where starting_mrr > 0) as starting_mrr

    from {{ ref('fct_mrr_monthly') }}

    where policy = 'standard'

    group by month

)

select summed.*

from summed

inner join retention
    on
        summed.month = retention.month
        and summed.window_months = retention.window_months
        and retention.segment_by = 'all'

left join starts
    on
        summed.month - to_months(cast(summed.window_months - 1 as integer)) = starts.month

where
    summed.is_out_of_bounds
    or summed.starting_mrr <> retention.starting_mrr
    or summed.ending_mrr <> retention.ending_mrr
    or summed.retained_mrr <> retention.retained_mrr
    or summed.starting_accounts <> retention.starting_accounts
    or summed.churned_accounts <> retention.churned_accounts
    or summed.starting_mrr <> coalesce(starts.starting_mrr, 0)
