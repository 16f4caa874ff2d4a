-- One row per version of a subscription and phase of its life: the trial, then the paid time, each
-- from its first instant to its end (exclusive), NULL while it goes on. A subscription that is
-- paused, unpaid or incomplete has no phase: without a history of status, today's word stands for
-- always.

with

subscriptions as (

    select * from {{ ref('int_subscriptions_linked') }}

),

accounts as (

    select * from {{ ref('int_accounts_dated') }}

),

dated as (

    -- The end of the paid period: as billing states it, else as planned, else as the status
    -- implies.
    select
        subscriptions.*,
        least(
            coalesce(
                subscriptions.ended_at,
                subscriptions.cancel_at,
                case
                    when subscriptions.status in ('canceled', 'cancelled')
                        then
                            coalesce(
                                subscriptions.current_period_end_at, subscriptions.cancelled_at
                            )
                end
            ),
            subscriptions.deleted_at
        ) as ends_at,
        case
            when subscriptions.status = 'trialing' then null
            else greatest(subscriptions.started_at, subscriptions.trial_ends_at)
        end as paid_from_at

    from subscriptions

    inner join accounts
        on subscriptions.account_id = accounts.account_id and not accounts.is_test

    where
        coalesce(subscriptions.status, 'active')
        not in ('paused', 'unpaid', 'incomplete', 'incomplete_expired')

),

phases as (

    select
        * exclude (ends_at, paid_from_at),
        'trial' as phase,
        started_at as starts_at,
        least(paid_from_at, ends_at) as ends_at

    from dated

    where paid_from_at is null or paid_from_at > started_at

    union all

    select
        * exclude (ends_at, paid_from_at),
        'paid' as phase,
        paid_from_at as starts_at,
        ends_at

    from dated

    where paid_from_at is not null

),

final as (

    select
        account_id,
        subscription_id,
        phase,
        plan,
        status,
        currency,
        starts_at,
        ends_at,
        cancelled_at,
        cancel_at,
        known_from,
        known_until,
        is_latest

    from phases

    where ends_at is null or ends_at > starts_at

)

select * from final
