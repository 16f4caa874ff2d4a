-- Invariants 1 and 2 in each original currency: starting and the month's movements give the ending,
-- and each month starts where the one before ended, without holes.
with

months as (

    select
        account_id,
        policy,
        currency,
        month,
        starting_mrr,
        ending_mrr,
        starting_mrr + new_mrr + reactivation_mrr + expansion_mrr - contraction_mrr - churn_mrr
        + fx_mrr as explained_mrr,
        lag(month) over of_currency as month_before,
        lag(ending_mrr) over of_currency as ending_before

    from {{ ref('fct_mrr_monthly_by_currency') }}

    window of_currency as (partition by account_id, policy, currency order by month)

)

select * from months

where
    explained_mrr <> ending_mrr
    or starting_mrr <> coalesce(ending_before, 0)
    or month_before + interval 1 month <> month
