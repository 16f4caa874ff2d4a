-- Invariants 1 and 2 in each original currency: starting and the month's movements give the ending,
-- and each month starts where the one before ended, without holes.
-- Where the starts of a chain, as a set, are its endings a month later (told by sums of 64 bits),
-- it holds: only the months of others are put in order, since that is most of the work.
with

monthly as (

    select
        *,
        starting_mrr + new_mrr + reactivation_mrr + expansion_mrr - contraction_mrr - churn_mrr
        + fx_mrr as explained_mrr

    from {{ ref('fct_mrr_monthly_by_currency') }}

),

suspects as (

    select
        account_id,
        policy,
        currency

    from monthly

    group by account_id, policy, currency

    having
        bool_or(explained_mrr <> ending_mrr)
        or
        sum(hash(month, starting_mrr))
        + hash(cast(max(month) + interval 1 month as date), arg_max(ending_mrr, month))
        <> sum(hash(cast(month + interval 1 month as date), ending_mrr))
        + hash(min(month), cast(0 as decimal(18, 4)))

),

months as (

    select
        monthly.account_id,
        monthly.policy,
        monthly.currency,
        monthly.month,
        monthly.starting_mrr,
        monthly.ending_mrr,
        monthly.explained_mrr,
        lag(monthly.month) over of_currency as month_before,
        lag(monthly.ending_mrr) over of_currency as ending_before

    from monthly

    semi join suspects
        on
            monthly.account_id = suspects.account_id
            and monthly.policy = suspects.policy
            and monthly.currency = suspects.currency

    window of_currency as (
        partition by monthly.account_id, monthly.policy, monthly.currency
        order by monthly.month
    )

)

select * from months

where
    explained_mrr <> ending_mrr
    or starting_mrr <> coalesce(ending_before, 0)
    or month_before + interval 1 month <> month
