-- Invariant 21: the subscriptions' MRR at the end of the previous month is what their account
-- starts the as-of month with, and their MRR of now is what it has at the end, unless the as-of
-- instant lies inside the first day after it. Metered usage, where the standard policy counts
-- it, belongs to no subscription.
with

subscriptions as (

    select
        account_id,
        sum(mrr) as mrr,
        sum(current_mrr) as current_mrr

    from {{ ref('fct_subscriptions') }}

    group by account_id

),

accounts as (

    select * from {{ ref('fct_mrr_monthly') }}

    where policy = 'standard'

    qualify month = max(month) over ()

)

select
    accounts.account_id,
    accounts.month,
    accounts.starting_mrr,
    subscriptions.mrr,
    accounts.ending_mrr,
    subscriptions.current_mrr

from accounts

left join subscriptions on accounts.account_id = subscriptions.account_id

where
    accounts.starting_mrr <> coalesce(subscriptions.mrr, 0)
    or (
        accounts.ending_mrr <> coalesce(subscriptions.current_mrr, 0)
        and {{ first_instant('accounts.month + interval 1 month') }} >= {{ as_of() }}
    )
