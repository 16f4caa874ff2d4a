-- Invariant 2, and a spine without holes: ending(m - 1) = starting(m), and m - 1 is there.
with

months as (

    select
        account_id,
        policy,
        month,
        starting_mrr,
        lag(month) over (partition by account_id, policy order by month) as month_before,
        lag(ending_mrr) over (partition by account_id, policy order by month) as ending_before

    from {{ ref('fct_mrr_monthly') }}

)

select * from months

where
    starting_mrr <> coalesce(ending_before, 0)
    or month_before + interval 1 month <> month
