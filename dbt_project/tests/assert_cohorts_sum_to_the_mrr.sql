-- Everybody who pays once came: the cohorts' MRR at a month's end is that of all accounts.
with

cohorts as (

    select
        month,
        sum(mrr) as mrr,
        sum(paying_accounts) as paying_accounts

    from {{ ref('revenue_cohorts') }}

    group by month

),

accounts as (

    select
        month,
        sum(ending_mrr) as mrr,
        count(*) filter (where ending_mrr > 0) as paying_accounts

    from {{ ref('fct_mrr_monthly') }}

    where policy = 'standard'

    group by month

)

select
    accounts.*,
    cohorts.mrr as cohorts_mrr,
    cohorts.paying_accounts as cohorts_paying_accounts

from accounts

left join cohorts on accounts.month = cohorts.month

where
    accounts.mrr <> coalesce(cohorts.mrr, 0)
    or accounts.paying_accounts <> coalesce(cohorts.paying_accounts, 0)
