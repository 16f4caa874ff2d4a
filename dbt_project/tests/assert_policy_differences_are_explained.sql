-- The parts of mrr_policy_bridge sum to the difference of the two endings, and where two policies'
-- endings differ there is a row.
with

pairs as (

    select distinct
        policy,
        compared_policy

    from {{ ref('int_mrr_policy_steps') }}

),

differing as (

    select
        monthly.account_id,
        monthly.month,
        pairs.policy,
        pairs.compared_policy,
        compared.ending_mrr - monthly.ending_mrr as difference

    from {{ ref('fct_mrr_monthly') }} as monthly

    inner join pairs on monthly.policy = pairs.policy

    inner join {{ ref('fct_mrr_monthly') }} as compared
        on
            monthly.account_id = compared.account_id
            and monthly.month = compared.month
            and pairs.compared_policy = compared.policy

    where compared.ending_mrr <> monthly.ending_mrr

)

select
    coalesce(bridge.account_id, differing.account_id) as account_id,
    coalesce(bridge.month, differing.month) as month,
    coalesce(bridge.policy, differing.policy) as policy,
    coalesce(bridge.compared_policy, differing.compared_policy) as compared_policy,
    bridge.difference,
    differing.difference as expected_difference,
    bridge.trials_difference + bridge.past_due_difference + bridge.churn_difference
    + bridge.gap_difference + bridge.discounts_difference + bridge.metered_difference
    + bridge.fx_difference as explained_difference

from {{ ref('mrr_policy_bridge') }} as bridge

full outer join differing
    on
        bridge.account_id = differing.account_id
        and bridge.month = differing.month
        and bridge.policy = differing.policy
        and bridge.compared_policy = differing.compared_policy

where
    bridge.difference is null
    or bridge.difference <> coalesce(differing.difference, 0)
    or explained_difference <> bridge.difference
