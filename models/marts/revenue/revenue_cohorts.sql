-- One row per cohort (the month in which accounts had MRR for the first time) and age in months,
-- 0 for that month, to the as-of month: what is left of the cohort at that month's end. As it
-- is, with fx; what an account came with is the amount of its `new` movement.

with

movements as (

    select * from {{ ref('fct_mrr_movements') }}

    where policy = 'standard' and movement = 'new'

),

mrr as (

    select * from {{ ref('fct_mrr_monthly') }}

    where policy = 'standard'

),

aged as (

    select
        movements.month as cohort_month,
        date_diff('month', movements.month, mrr.month) as age_months,
        mrr.month,
        movements.amount as new_mrr,
        mrr.ending_mrr

    from movements

    inner join mrr
        on movements.account_id = mrr.account_id and movements.month <= mrr.month

),

summed as (

    select
        cohort_month,
        age_months,
        month,
        count(*) as cohort_accounts,
        count(*) filter (where ending_mrr > 0) as paying_accounts,
        cast(sum(new_mrr) as decimal(18, 2)) as cohort_mrr,
        cast(sum(ending_mrr) as decimal(18, 2)) as mrr,
        cast(sum(least(new_mrr, ending_mrr)) as decimal(18, 2)) as retained_mrr

    from aged

    group by cohort_month, age_months, month

),

final as (

    select
        *,
        cast(mrr as double) / nullif(cohort_mrr, 0) as net_retention_ratio,
        cast(retained_mrr as double) / nullif(cohort_mrr, 0) as gross_retention_ratio,
        cast(paying_accounts as double) / nullif(cohort_accounts, 0) as logo_retention_ratio,
        {{ month_instant('month + interval 1 month') }} > {{ as_of() }} as is_partial

    from summed

)

select * from final
