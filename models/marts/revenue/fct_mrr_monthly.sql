-- One row per account, local month and policy: the MRR just before the month's first instant, what
-- moved it, and the MRR just before the next month's, or before the as-of instant where that is
-- earlier (is_partial). From the account's creation or first subscription on; a month without a
-- subscription is a row of zeros.

with

first_months as (

    select * from {{ ref('int_account_first_months') }}

),

policies as (

    select * from {{ ref('int_mrr_policies') }}

),

balances as (

    select * from {{ ref('int_mrr_balances') }}

),

movers as (

    select * from {{ ref('int_mrr_movers') }}

),

segments as (

    select * from {{ ref('int_subscription_item_segments') }}

),

monthly_rates as (

    select * from {{ ref('int_fx_rates_monthly') }}

),

metered as (

    select * from {{ ref('int_metered_mrr_monthly') }}

),

published as (

    select * from policies

    where is_published

),

dated as (

    -- What moves at the month's first instant is in the literal count of that instant already.
    select
        balances.account_id,
        balances.policy,
        {{ local_month('balances.moved_at') }} as month,
        balances.moved_at = {{ month_instant('month') }} as is_first_instant,
        balances.movement,
        balances.amount,
        balances.fx_amount as fx_mrr,
        balances.amount + balances.fx_amount as net_movement,
        balances.gross_amount as gross_movement

    from balances

    inner join published on balances.policy = published.policy

),

trial_months as (

    select
        segments.account_id,
        segments.policy,
        segments.currency,
        segments.net_picos,
        segments.per_months,
        segments.starts_at,
        segments.ends_at,
        cast(
            unnest(
                generate_series(
                    {{ local_month('segments.starts_at') }},
                    date_trunc(
                        'month',
                        least({{ local_day('segments.ends_at') }}, {{ as_of_day() }} - 1)
                    ),
                    interval 1 month
                )
            ) as date
        ) as month

    from segments

    inner join published on segments.policy = published.policy

    where segments.phase = 'trial' and segments.is_latest

),

trials as (

    select
        trial_months.account_id,
        trial_months.policy,
        trial_months.month,
        sum(
            {{ reporting_amount(
                'trial_months.net_picos',
                'trial_months.per_months',
                reporting_rate('trial_months.currency', 'monthly_rates.rate')
            ) }}
        ) as trial_pipeline_mrr

    from trial_months

    left join monthly_rates
        on
            trial_months.currency = monthly_rates.currency
            and trial_months.month = monthly_rates.month

    where
        trial_months.starts_at
        < least({{ month_instant('trial_months.month + interval 1 month') }}, {{ as_of() }})
        and (
            trial_months.ends_at is null
            or trial_months.ends_at
            >= least({{ month_instant('trial_months.month + interval 1 month') }}, {{ as_of() }})
        )

    group by trial_months.account_id, trial_months.policy, trial_months.month

),

plan_changes as (

    select distinct
        account_id,
        policy,
        {{ local_month('moved_at') }} as month

    from movers

    where plan_before <> plan_after

),

told as (

    -- All that is told of a month; the account's first one is, whatever it holds.
    select * from dated
    union all by name
    select * from trials
    union all by name
    select
        metered.*,
        published.policy
    from metered
    cross join published
    union all by name
    select
        *,
        true as has_plan_change
    from plan_changes
    union all by name
    select
        first_months.account_id,
        first_months.first_month as month,
        published.policy
    from first_months
    cross join published

),

netted as (

    select
        told.account_id,
        told.policy,
        told.month,
        -- Narrow from here on: 64 bits are ordered faster than the 128 of a sum.
        cast(coalesce(sum(told.amount) filter (where told.movement = 'new'), 0) as decimal(18, 2))
            as new_mrr,
        cast(
            coalesce(sum(told.amount) filter (where told.movement = 'reactivation'), 0)
            as decimal(18, 2)
        ) as reactivation_mrr,
        cast(
            coalesce(sum(told.amount) filter (where told.movement = 'expansion'), 0)
            as decimal(18, 2)
        ) as expansion_mrr,
        cast(
            coalesce(-sum(told.amount) filter (where told.movement = 'contraction'), 0)
            as decimal(18, 2)
        ) as contraction_mrr,
        cast(
            coalesce(-sum(told.amount) filter (where told.movement = 'churn'), 0)
            as decimal(18, 2)
        ) as churn_mrr,
        cast(coalesce(sum(told.fx_mrr), 0) as decimal(18, 2)) as fx_mrr,
        cast(coalesce(sum(told.net_movement), 0) as decimal(18, 2)) as net_movement,
        cast(coalesce(sum(told.gross_movement), 0) as decimal(18, 2)) as gross_movement,
        cast(
            coalesce(sum(told.net_movement) filter (where told.is_first_instant), 0)
            as decimal(18, 2)
        ) as first_instant_movement,
        cast(coalesce(sum(told.trial_pipeline_mrr), 0) as decimal(18, 2)) as trial_pipeline_mrr,
        cast(coalesce(sum(told.metered_mrr), 0) as decimal(18, 2)) as metered_mrr,
        coalesce(bool_or(told.has_plan_change), false) as has_plan_change

    from told

    semi join first_months on told.account_id = first_months.account_id

    where told.month <= date_trunc('month', {{ as_of_day() }} - 1)

    group by told.account_id, told.policy, told.month

),

running as (

    select
        *,
        cast(sum(net_movement) over up_to_here as decimal(18, 2)) as ending_mrr,
        cast(sum(gross_movement) over up_to_here as decimal(18, 2)) as ending_gross_mrr,
        coalesce(
            lead(month) over (partition by account_id, policy order by month),
            cast(date_trunc('month', {{ as_of_day() }} - 1) + interval 1 month as date)
        ) as next_month

    from netted

    window
        up_to_here as (
            partition by account_id, policy order by month rows unbounded preceding
        )

),

filled as (

    -- Until the next month of which something is told nothing moves: this month's ending holds.
    select
        * exclude (month, next_month),
        month as told_month,
        cast(unnest(range(month, next_month, interval 1 month)) as date) as month

    from running

),

final as (

    select
        filled.account_id,
        filled.month,
        filled.policy,
        cast(
            filled.ending_mrr - if(filled.month = filled.told_month, filled.net_movement, 0)
            as decimal(18, 2)
        ) as starting_mrr,
        cast(if(filled.month = filled.told_month, filled.new_mrr, 0) as decimal(18, 2))
            as new_mrr,
        cast(if(filled.month = filled.told_month, filled.reactivation_mrr, 0) as decimal(18, 2))
            as reactivation_mrr,
        cast(if(filled.month = filled.told_month, filled.expansion_mrr, 0) as decimal(18, 2))
            as expansion_mrr,
        cast(if(filled.month = filled.told_month, filled.contraction_mrr, 0) as decimal(18, 2))
            as contraction_mrr,
        cast(if(filled.month = filled.told_month, filled.churn_mrr, 0) as decimal(18, 2))
            as churn_mrr,
        cast(if(filled.month = filled.told_month, filled.fx_mrr, 0) as decimal(18, 2))
            as fx_mrr,
        cast(filled.ending_mrr as decimal(18, 2)) as ending_mrr,
        cast(
            filled.ending_mrr
            - if(
                filled.month = filled.told_month,
                filled.net_movement - filled.first_instant_movement,
                0
            ) as decimal(18, 2)
        ) as subscription_mrr,
        cast(filled.ending_gross_mrr as decimal(18, 2)) as gross_mrr,
        cast(
            filled.ending_mrr
            - if(
                published.metered = 'included' and filled.month = filled.told_month,
                filled.metered_mrr,
                0
            ) as decimal(18, 2)
        ) as net_mrr,
        cast(
            if(filled.month = filled.told_month, filled.trial_pipeline_mrr, 0) as decimal(18, 2)
        ) as trial_pipeline_mrr,
        cast(if(filled.month = filled.told_month, filled.metered_mrr, 0) as decimal(18, 2))
            as metered_mrr,
        filled.month = filled.told_month and filled.has_plan_change as has_plan_change,
        filled.month = date_trunc('month', {{ as_of_day() }} - 1)
        and {{ as_of_month_is_partial() }} as is_partial

    from filled

    inner join published on filled.policy = published.policy

)

select * from final
