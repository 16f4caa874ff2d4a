-- One row per account, published policy and instant at which something that is paid for started or
-- ended, as known now, also where that nets to nothing: the subscription that stands for the
-- movement, its plan before and after, and why it ended.

{{ config(materialized='table') }}

with

item_amounts as (

    select * from {{ ref('int_subscription_item_amounts') }}

),

policies as (

    select * from {{ ref('int_mrr_policies') }}

),

amounts as (

    select item_amounts.*

    from item_amounts

    inner join policies on item_amounts.policy = policies.policy and policies.is_published

),

touched as (

    select
        account_id,
        policy,
        subscription_id,
        product,
        starts_at as moved_at,
        amount,
        false as is_end,
        null as end_reason

    from amounts

    where not is_rate_change

    union all

    select
        account_id,
        policy,
        subscription_id,
        product,
        ends_at as moved_at,
        -amount as amount,
        true as is_end,
        end_reason

    from amounts

    where is_last and ends_at < {{ as_of() }}

),

by_subscription as (

    -- The greatest name stands for a subscription of several products or reasons.
    select
        account_id,
        policy,
        moved_at,
        subscription_id,
        sum(amount) as amount,
        max(product) filter (where is_end) as plan_before,
        max(product) filter (where not is_end) as plan_after,
        max(end_reason) as end_reason

    from touched

    group by account_id, policy, moved_at, subscription_id

),

final as (

    -- The subscription that moved the most stands for the movement; of a churn, the one that lost
    -- it.
    select
        account_id,
        policy,
        moved_at,
        arg_min(subscription_id, (-abs(amount), subscription_id)) filter (
            where amount <> 0
        ) as subscription_id,
        arg_min(plan_before, (-abs(amount), subscription_id)) filter (
            where plan_before is not null
        ) as plan_before,
        arg_min(plan_after, (-abs(amount), subscription_id)) filter (
            where plan_after is not null
        ) as plan_after,
        arg_min(end_reason, (amount, subscription_id)) filter (
            where end_reason is not null
        ) as churn_reason

    from by_subscription

    group by account_id, policy, moved_at

)

select * from final
