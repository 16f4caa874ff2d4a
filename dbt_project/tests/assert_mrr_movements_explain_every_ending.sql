-- Invariant 1: starting and the month's movements give the ending, for each account and month.
select
    *,
    starting_mrr + new_mrr + reactivation_mrr + expansion_mrr - contraction_mrr - churn_mrr + fx_mrr
        as explained_mrr

from {{ ref('fct_mrr_monthly') }}

where
    starting_mrr + new_mrr + reactivation_mrr + expansion_mrr - contraction_mrr - churn_mrr + fx_mrr
    <> ending_mrr
