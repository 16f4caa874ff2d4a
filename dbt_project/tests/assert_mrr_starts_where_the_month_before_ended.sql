-- Invariant 2, and a spine without holes: ending(m - 1) = starting(m), and m - 1 is there.
-- Where the starts of a chain, as a set, are its endings a month later (told by sums of 64 bits),
-- it holds: only the months of others are put in order, since that is most of the work.
with

monthly as (

    select * from {{ ref('fct_mrr_monthly') }}

),

suspects as (

    select
        account_id,
        policy

    from monthly

    group by account_id, policy

    having
        sum(hash(month, starting_mrr))
        + hash(cast(max(month) + interval 1 month as date), arg_max(ending_mrr, month))
        <> sum(hash(cast(month + interval 1 month as date), ending_mrr))
        + hash(min(month), cast(0 as decimal(18, 2)))

),

months as (

    select
        monthly.account_id,
        monthly.policy,
        monthly.month,
        monthly.starting_mrr,
        lag(monthly.month) over of_account as month_before,
        lag(monthly.ending_mrr) over of_account as ending_before

    from monthly

    semi join suspects
        on monthly.account_id = suspects.account_id and monthly.policy = suspects.policy

    window of_account as (
        partition by monthly.account_id, monthly.policy order by monthly.month
    )

)

select * from months

where
    starting_mrr <> coalesce(ending_before, 0)
    or month_before + interval 1 month <> month
