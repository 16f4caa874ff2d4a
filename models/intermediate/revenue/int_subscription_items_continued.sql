-- One row per version and segment of an item that is paid for, by policy, for the time in which it
-- counts: where a billing migration or a gap that the policy tolerates goes on into what follows,
-- the old amount holds until then (spec 20, "Movements").

{{ config(materialized='table') }}

with

segments as (

    select * from {{ ref('int_subscription_item_segments') }}

),

policies as (

    select * from {{ ref('int_mrr_policies') }}

),

migrations as (

    select * from {{ ref('billing_migrations') }}

),

paid as (

    select
        * exclude (phase),
        coalesce(ends_at, cast('9999-12-31' as timestamp with time zone)) as until_at

    from segments

    where phase = 'paid'

),

lives as (

    select
        account_id,
        subscription_id,
        policy,
        min(starts_at) as first_paid_at,
        max(until_at) as last_paid_at

    from paid

    where is_latest

    group by account_id, subscription_id, policy

),

moves as (

    select
        source.subscription_id,
        source.policy,
        source.last_paid_at,
        min(target.first_paid_at) as moved_at

    from migrations

    inner join lives as source on migrations.from_subscription_id = source.subscription_id

    inner join lives as target
        on
            migrations.to_subscription_id = target.subscription_id
            and source.account_id = target.account_id
            and source.policy = target.policy

    group by source.subscription_id, source.policy, source.last_paid_at

),

moved as (

    select
        paid.* exclude (ends_at, until_at),  -- noqa: RF02
        case
            when moves.moved_at is null then paid.until_at
            when paid.until_at = moves.last_paid_at then moves.moved_at
            else least(paid.until_at, moves.moved_at)
        end as until_at,
        migrations.from_subscription_id is not null as is_migrated

    from paid

    left join migrations on paid.subscription_id = migrations.from_subscription_id

    left join moves
        on paid.subscription_id = moves.subscription_id and paid.policy = moves.policy

    where moves.moved_at is null or paid.starts_at < moves.moved_at

),

covered as (

    select
        moved.account_id,
        moved.policy,
        moved.starts_at,
        policies.gap_days,
        max(moved.until_at) over (
            partition by moved.account_id, moved.policy
            order by moved.starts_at
            rows between unbounded preceding and 1 preceding
        ) as covered_until

    from moved

    inner join policies on moved.policy = policies.policy and policies.gap_days > 0

    where moved.net_picos > 0 and moved.is_latest

),

gaps as (

    select
        account_id,
        policy,
        covered_until as gap_from,
        min(starts_at) as gap_until

    from covered

    where covered_until < starts_at and covered_until >= starts_at - to_days(gap_days)

    group by account_id, policy, covered_until

),

final as (

    select
        moved.* exclude (until_at, is_migrated),  -- noqa: RF02
        nullif(
            coalesce(gaps.gap_until, moved.until_at),
            cast('9999-12-31' as timestamp with time zone)
        ) as ends_at,
        case
            when moved.is_migrated then 'migrated'
            when moved.ends_by = 'past_due' then 'past_due'
            when moved.is_cancelled or moved.ends_by = 'cancelled' then 'cancelled'
            when moved.is_term_end then 'not_renewed'
            else 'unknown'
        end as end_reason

    from moved

    left join gaps
        on
            moved.account_id = gaps.account_id
            and moved.policy = gaps.policy
            and moved.until_at = gaps.gap_from
            and moved.is_latest

)

select * from final
