-- One row per set of rules that MRR is counted by: a policy of the seed (is_published), or a step
-- on the way from one policy to another, which only mrr_policy_bridge needs.

{{ config(materialized='table') }}

with

policies as (

    select * from {{ ref('mrr_policies') }}

),

steps as (

    select * from {{ ref('int_mrr_policy_steps') }}

),

final as (

    select
        policy,
        past_due_days,
        churn_moment,
        discounts,
        trials,
        metered,
        fx,
        gap_days,
        true as is_published

    from policies

    union all

    select distinct
        step_policy as policy,
        past_due_days,
        churn_moment,
        discounts,
        trials,
        'excluded' as metered,
        fx,
        gap_days,
        false as is_published

    from steps

    where not is_last

)

select * from final
