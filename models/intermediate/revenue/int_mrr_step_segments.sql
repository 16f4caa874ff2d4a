-- One row per segment of an item that is paid for in which two neighbouring steps between two
-- policies differ, as known now: what the exchange of a rule adds (sign 1) or takes away (-1). What
-- both steps count alike is not in here, and that is most of it. A pair's last step is not either:
-- its part is what the others leave of the difference between the two policies themselves.

{{ config(materialized='table') }}

with

steps as (

    select * from {{ ref('int_mrr_policy_steps') }}

),

segments as (

    select * from {{ ref('int_subscription_items_continued') }}

),

policies as (

    select * from {{ ref('int_mrr_policies') }}

),

sides as (

    select
        policy,
        compared_policy,
        rule,
        unnest([policy_after, policy_before]) as side_policy,
        unnest([1, -1]) as sign

    from steps

    where not is_last

),

final as (

    select
        segments.account_id,
        sides.policy,
        sides.compared_policy,
        sides.rule,
        policies.fx,
        segments.currency,
        segments.billing_interval,
        segments.interval_count,
        segments.period_anchor_at,
        segments.starts_at,
        segments.ends_at,
        segments.net_picos,
        segments.per_months,
        cast(sum(sides.sign) as integer) as sign

    from sides

    inner join segments
        on
            sides.side_policy = segments.policy
            and segments.is_latest
            and segments.net_picos <> 0

    inner join policies on sides.side_policy = policies.policy

    group by all

    having sum(sides.sign) <> 0

)

select * from final
