-- One row per subscription of an account that is no test one, as known now: its cycle, end, MRR
-- and next renewal, counted as the standard policy counts.

with

subscriptions as (

    select * from {{ ref('int_subscriptions_linked') }}

),

anchored as (

    select * from {{ ref('int_renewals_anchored') }}

),

phases as (

    select * from {{ ref('int_subscription_phases') }}

),

segments as (

    select * from {{ ref('int_subscription_item_segments') }}

),

amounts as (

    select * from {{ ref('int_subscription_item_amounts') }}

),

renewals_due as (

    select * from {{ ref('int_renewals_due') }}

),

in_force as (

    select
        subscription_id,
        case when count(*) = count(ends_at) then max(ends_at) end as ends_at,
        max(cancelled_at) as cancelled_at,
        coalesce(
            bool_or(phase = 'trial') filter (where ends_at is null or ends_at >= {{ as_of() }}),
            false
        ) as is_trial,
        coalesce(
            bool_or(phase = 'paid') filter (where ends_at is null or ends_at >= {{ as_of() }}),
            false
        ) as is_paid

    from phases

    where policy = 'standard' and is_latest and starts_at < {{ as_of() }}

    group by subscription_id

),

greatest_items as (

    -- The item that costs the most of those in force, of one that is over the last ones.
    select
        subscription_id,
        product,
        interval_count
        // case when billing_interval = 'month' and interval_count % 12 = 0 then 12 else 1 end
            as cycle_count,
        case
            when billing_interval = 'month' and interval_count % 12 = 0 then 'year'
            else billing_interval
        end as cycle_interval

    from segments

    where policy = 'standard' and is_latest and starts_at < {{ as_of() }}

    qualify
        row_number() over (
            partition by subscription_id
            order by
                coalesce(ends_at >= {{ as_of() }}, true) desc,
                coalesce(ends_at, {{ as_of() }}) desc,
                gross_picos // per_months desc,
                item_id asc,
                starts_at desc,
                valid_from desc,
                phase asc
        ) = 1

),

mrr as (

    select
        subscription_id,
        sum(amount) filter (
            where
            starts_at < {{ first_instant("date_trunc('month', " ~ as_of_day() ~ " - 1)") }}
            and (
                ends_at is null
                or ends_at
                >= {{ first_instant("date_trunc('month', " ~ as_of_day() ~ " - 1)") }}
            )
        ) as mrr,
        sum(amount) filter (
            where
            starts_at < {{ as_of() }} and (ends_at is null or ends_at >= {{ as_of() }})
        ) as current_mrr

    from amounts

    where policy = 'standard'

    group by subscription_id

),

next_renewals as (

    select * from renewals_due

    where renewal_on >= {{ as_of_day() }} and not is_ended

),

dated as (

    select
        subscriptions.*,
        anchored.paid_from_at,
        in_force.ends_at,
        in_force.cancelled_at as churn_scheduled_at,
        next_renewals.renewal_on,
        next_renewals.notice_window_starts_on,
        coalesce(in_force.is_trial, false) as is_trial,
        case
            when in_force.is_trial then 'trial'
            when
                anchored.paid_until_at < {{ as_of() }}
                and (
                    in_force.is_paid
                    or coalesce(
                        subscriptions.ended_at, subscriptions.cancel_at,
                        in_force.cancelled_at, subscriptions.deleted_at
                    ) is not null
                )
                then 'ended'
            when not coalesce(in_force.is_paid, false) then 'not_in_force'
            when anchored.renewal_term_months is null then 'evergreen'
            when {{ local_day('anchored.paid_until_at') }} <= next_renewals.renewal_on
                then 'cancelled_at_period_end'
        end as no_renewal_reason

    from subscriptions

    inner join anchored on subscriptions.subscription_id = anchored.subscription_id

    left join in_force on subscriptions.subscription_id = in_force.subscription_id

    left join next_renewals on subscriptions.subscription_id = next_renewals.subscription_id

    where subscriptions.is_latest

),

final as (

    select
        dated.subscription_id,
        dated.account_id,
        coalesce(dated.plan, greatest_items.product, dated.subscription_id) as subscription_code,
        dated.plan,
        dated.status,
        greatest_items.cycle_count || ' ' || greatest_items.cycle_interval
        || case when greatest_items.cycle_count > 1 then 's' else '' end as billing_cycle,
        dated.currency,
        cast(coalesce(mrr.mrr, 0) as decimal(18, 2)) as mrr,
        cast(coalesce(mrr.current_mrr, 0) as decimal(18, 2)) as current_mrr,
        cast(12 * coalesce(mrr.current_mrr, 0) as decimal(18, 2)) as arr,
        cast(dated.renewal_term_months as bigint) as renewal_term_months,
        cast(dated.notice_days as bigint) as notice_days,
        case when dated.no_renewal_reason is null then dated.renewal_on end as next_renewal_on,
        case when dated.no_renewal_reason is null then dated.notice_window_starts_on end
            as notice_window_starts_on,
        dated.no_renewal_reason,
        dated.is_trial,
        dated.started_at,
        dated.paid_from_at,
        dated.trial_ends_at,
        dated.churn_scheduled_at,
        dated.ends_at

    from dated

    left join greatest_items on dated.subscription_id = greatest_items.subscription_id

    left join mrr on dated.subscription_id = mrr.subscription_id

)

select * from final
