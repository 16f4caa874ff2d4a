-- One row per account, local month and policy: the MRR just before the month's first instant, what
-- moved it, and the MRR just before the next month's, or before the as-of instant where that is
-- earlier (is_partial). From the account's creation or first subscription on; a month without a
-- subscription is a row of zeros.

with

accounts as (

    select * from {{ ref('int_accounts_dated') }}

),

subscriptions as (

    select * from {{ ref('int_subscriptions_linked') }}

),

movements as (

    select * from {{ ref('fct_mrr_movements') }}

),

segments as (

    select * from {{ ref('int_subscription_item_segments') }}

),

first_subscriptions as (

    select
        account_id,
        {{ local_day('min(started_at)') }} as first_subscribed_on

    from subscriptions

    where is_latest

    group by account_id

),

spine as (

    select
        accounts.account_id,
        cast(
            unnest(
                generate_series(
                    date_trunc(
                        'month',
                        least(accounts.created_on, first_subscriptions.first_subscribed_on)
                    ),
                    date_trunc('month', {{ as_of_day() }} - 1),
                    interval 1 month
                )
            ) as date
        ) as month

    from accounts

    left join first_subscriptions
        on accounts.account_id = first_subscriptions.account_id

    where not accounts.is_test and accounts.merged_day is null

),

bounded as (

    select
        account_id,
        month,
        {{ first_instant('month') }} as starts_at,
        {{ first_instant('month + interval 1 month') }} as next_starts_at

    from spine

),

moved as (

    -- What moves at the month's first instant is in the literal count of that instant already.
    select
        movements.account_id,
        movements.month,
        sum(movements.amount) filter (where movements.movement = 'new') as new_mrr,
        sum(movements.amount) filter (
            where movements.movement = 'reactivation'
        ) as reactivation_mrr,
        sum(movements.amount) filter (where movements.movement = 'expansion') as expansion_mrr,
        sum(movements.amount) filter (where movements.movement = 'contraction') as contraction_mrr,
        sum(movements.amount) filter (where movements.movement = 'churn') as churn_mrr,
        sum(movements.mrr_after - movements.mrr_before) as net_movement,
        sum(movements.mrr_after - movements.mrr_before) filter (
            where movements.moved_at = {{ first_instant('movements.month') }}
        ) as first_instant_movement

    from movements

    group by movements.account_id, movements.month

),

trials as (

    select
        bounded.account_id,
        bounded.month,
        sum(segments.amount) as trial_pipeline_mrr

    from bounded

    inner join segments
        on
            bounded.account_id = segments.account_id
            and segments.phase = 'trial'
            and segments.is_latest
            and segments.starts_at < least(bounded.next_starts_at, {{ as_of() }})
            and (
                segments.ends_at is null
                or segments.ends_at >= least(bounded.next_starts_at, {{ as_of() }})
            )

    group by bounded.account_id, bounded.month

),

running as (

    select
        bounded.account_id,
        bounded.month,
        bounded.next_starts_at > {{ as_of() }} as is_partial,
        coalesce(moved.new_mrr, 0) as new_mrr,
        coalesce(moved.reactivation_mrr, 0) as reactivation_mrr,
        coalesce(moved.expansion_mrr, 0) as expansion_mrr,
        coalesce(moved.contraction_mrr, 0) as contraction_mrr,
        coalesce(moved.churn_mrr, 0) as churn_mrr,
        coalesce(moved.net_movement, 0) as net_movement,
        coalesce(moved.first_instant_movement, 0) as first_instant_movement,
        coalesce(trials.trial_pipeline_mrr, 0) as trial_pipeline_mrr,
        sum(coalesce(moved.net_movement, 0)) over (
            partition by bounded.account_id order by bounded.month rows unbounded preceding
        ) as ending_mrr

    from bounded

    left join moved
        on bounded.account_id = moved.account_id and bounded.month = moved.month

    left join trials
        on bounded.account_id = trials.account_id and bounded.month = trials.month

),

final as (

    select
        account_id,
        month,
        'standard' as policy,
        cast(ending_mrr - net_movement as decimal(18, 2)) as starting_mrr,
        cast(new_mrr as decimal(18, 2)) as new_mrr,
        cast(reactivation_mrr as decimal(18, 2)) as reactivation_mrr,
        cast(expansion_mrr as decimal(18, 2)) as expansion_mrr,
        cast(contraction_mrr as decimal(18, 2)) as contraction_mrr,
        cast(churn_mrr as decimal(18, 2)) as churn_mrr,
        cast(0 as decimal(18, 2)) as fx_mrr,
        cast(ending_mrr as decimal(18, 2)) as ending_mrr,
        cast(
            ending_mrr - net_movement + first_instant_movement as decimal(18, 2)
        ) as subscription_mrr,
        cast(ending_mrr as decimal(18, 2)) as gross_mrr,
        cast(ending_mrr as decimal(18, 2)) as net_mrr,
        cast(trial_pipeline_mrr as decimal(18, 2)) as trial_pipeline_mrr,
        is_partial

    from running

)

select * from final
