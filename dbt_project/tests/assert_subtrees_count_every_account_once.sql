-- Over the heads of the hierarchies, the subtrees have every account but test accounts once, and
-- every cent of its MRR.
with

accounts as (

    select
        count(*) as account_count,
        sum(mrr) as mrr

    from {{ ref('account_scorecard') }}

    where not is_test

),

subtrees as (

    select
        coalesce(sum(subtree_account_count), 0) as account_count,
        sum(subtree_mrr) as mrr

    from {{ ref('account_hierarchy') }}

    where is_head and is_current and depth = 0

)

select
    accounts.account_count,
    subtrees.account_count as subtree_account_count,
    accounts.mrr,
    subtrees.mrr as subtree_mrr

from accounts

cross join subtrees

where
    accounts.account_count <> subtrees.account_count
    or accounts.mrr is distinct from subtrees.mrr
