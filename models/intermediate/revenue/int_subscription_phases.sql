-- One row per epoch of a subscription, policy and phase of its life: time in trial or time that is
-- paid for, as the policy counts it, from its first instant to its end (exclusive), NULL while it
-- goes on. What counts as nothing (paused, unpaid, past due for too long) has no row. The policies
-- other than the standard one are told as known now only.

{{ config(materialized='table') }}

with

spans as (

    select * from {{ ref('int_subscription_spans') }}

),

policies as (

    select * from {{ ref('int_mrr_policies') }}

),

dated as (

    -- The end of the paid period: as billing states it, else as planned, else as the cancellation
    -- implies.
    select
        spans.*,
        policies.policy,
        policies.past_due_days,
        policies.churn_moment,
        policies.trials = 'included' as has_trials,
        coalesce(
            spans.ended_at,
            spans.cancel_at,
            case
                when spans.is_cancelled
                    then coalesce(spans.current_period_end_at, spans.cancelled_at)
            end
        ) as period_ends_at

    from spans

    inner join policies on spans.is_latest or policies.policy = 'standard'

),

ended as (

    select
        *,
        least(
            period_ends_at,
            case
                when
                    churn_moment = 'scheduled'
                    or (churn_moment = 'cancellation' and cancel_at is null)
                    then cancelled_at
            end,
            deleted_at
        ) as life_ends_at,
        case
            when is_past_due_since_known
                then state_since_at + to_days(past_due_days)
        end as grace_ends_at

    from dated

    where state <> 'uncounted'

),

phases as (

    select
        *,
        case when state = 'trial' and not has_trials then 'trial' else 'paid' end as phase,
        least(ends_at, grace_ends_at, life_ends_at) as phase_ends_at

    from ended

),

counted as (

    select
        *,
        coalesce(
            lag(phase_ends_at)
                over (
                    partition by subscription_id, known_from, policy, phase order by starts_at
                )
            <> starts_at,
            true
        ) as is_start

    from phases

    where phase_ends_at is null or phase_ends_at > starts_at

),

final as (

    select
        account_id,
        subscription_id,
        policy,
        phase,
        plan,
        state,
        currency,
        starts_at,
        phase_ends_at as ends_at,
        max(starts_at) filter (where is_start) over (
            partition by subscription_id, known_from, policy, phase
            order by starts_at
            rows unbounded preceding
        ) as phase_since_at,
        case
            when phase_ends_at = life_ends_at then 'end'
            when phase_ends_at = grace_ends_at then 'past_due'
            when next_status in ('unpaid', 'incomplete', 'incomplete_expired') then 'past_due'
            when next_status = 'past_due' and past_due_days = 0 then 'past_due'
            when {{ is_over('next_status') }} then 'cancelled'
        end as ends_by,
        is_cancelled or cancel_at is not null as is_cancelled,
        coalesce(renewal_term_months > 0 and ended_at = phase_ends_at, false) as is_term_end,
        cancelled_at,
        cancel_at,
        known_from,
        known_until,
        rows_known_at,
        is_latest

    from counted

)

select * from final
