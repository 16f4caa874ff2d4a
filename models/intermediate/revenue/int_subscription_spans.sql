-- One row per epoch of a subscription and stretch of its life in one state: trial, active, past_due
-- or uncounted (paused, unpaid, incomplete, cancelled and resumed later). Where it ends is not in
-- here: that depends on the policy. Without a history of status today's word stands for always (a
-- cancellation with no date at all, too), and the trial is what comes before trial_ends_at; with
-- one, its words decide from the first on, and the last one, if it ended, says when.

{{ config(materialized='table') }}

with

epochs as (

    select * from {{ ref('int_subscription_epochs') }}

),

changes as (

    select * from {{ ref('stg_invoices__subscription_changes') }}

),

known_changes as (

    -- A cancellation as the last word is told by the end; the word before it goes on until then.
    select
        epochs.subscription_id,
        epochs.known_from,
        changes.changed_at,
        changes.status,
        max(changes.changed_at) filter (
            where not {{ is_over('changes.status') }}
        ) over (partition by epochs.subscription_id, epochs.known_from) as last_word_at,
        min(changes.changed_at) over (
            partition by epochs.subscription_id, epochs.known_from
        ) as first_changed_at

    from epochs

    inner join changes
        on
            epochs.subscription_id = changes.subscription_id
            and epochs.rows_known_at >= changes.known_from

),

histories as (

    select
        subscription_id,
        known_from,
        first_changed_at,
        min(changed_at) filter (
            where (changed_at > last_word_at or last_word_at is null) and status <> 'ended'
        ) as cancelled_at,
        min(changed_at) filter (
            where (changed_at > last_word_at or last_word_at is null) and status = 'ended'
        ) as ended_at

    from known_changes

    group by all

),

worded as (

    -- What the subscription's own row tells, until the first change.
    select
        epochs.subscription_id,
        epochs.known_from,
        case
            when histories.first_changed_at is not null then 'active'
            when
                {{ is_over('epochs.status') }}
                and coalesce(
                    epochs.ended_at, epochs.cancel_at, epochs.current_period_end_at,
                    epochs.cancelled_at, epochs.deleted_at
                ) is null
                then 'over since nobody knows when'
            else coalesce(epochs.status, 'active')
        end as status,
        epochs.started_at as starts_at,
        epochs.trial_ends_at,
        true as is_assumed

    from epochs

    left join histories
        on
            epochs.subscription_id = histories.subscription_id
            and epochs.known_from = histories.known_from

    union all

    select
        subscription_id,
        known_from,
        status,
        changed_at as starts_at,
        null as trial_ends_at,
        false as is_assumed

    from known_changes

    where changed_at <= last_word_at

),

staged as (

    select
        subscription_id,
        known_from,
        status,
        case
            when status = 'trialing' then 'trial'
            when status = 'past_due' then 'past_due'
            when
                status in ('paused', 'unpaid', 'incomplete', 'incomplete_expired')
                or ({{ is_over('status') }} and not is_assumed)
                or status = 'over since nobody knows when'
                then 'uncounted'
            else 'active'
        end as state,
        starts_at,
        trial_ends_at,
        is_assumed

    from worded

),

followed as (

    -- The row's own stretch comes first; changes before the start are told from the start on.
    select
        *,
        lead(starts_at) over (
            partition by subscription_id, known_from order by not is_assumed, starts_at
        ) as ends_at,
        lead(status) over (
            partition by subscription_id, known_from order by not is_assumed, starts_at
        ) as next_status,
        coalesce(
            lag(state) over (
                partition by subscription_id, known_from order by not is_assumed, starts_at
            ),
            ''
        )
        <> state as is_turn

    from staged

),

turned as (

    select
        *,
        last_value(if(is_turn, starts_at, null) ignore nulls) over (
            partition by subscription_id, known_from
            order by not is_assumed, starts_at
            rows unbounded preceding
        ) as state_since_at

    from followed

),

split as (

    -- The trial of a subscription that says only when it ends.
    select
        * exclude (state, ends_at),
        'trial' as state,
        least(ends_at, trial_ends_at) as ends_at

    from turned

    where state in ('active', 'past_due') and is_assumed and trial_ends_at > starts_at

    union all by name

    select
        * exclude (starts_at),
        greatest(
            starts_at,
            case when state in ('active', 'past_due') and is_assumed then trial_ends_at end
        ) as starts_at

    from turned

),

final as (

    select
        epochs.* exclude (status, ended_at, cancelled_at),  -- noqa: RF02
        coalesce({{ is_over('epochs.status') }}, false)
        and (epochs.status <> 'ended' or coalesce(epochs.ended_at, histories.ended_at) is null)
        or histories.cancelled_at is not null as is_cancelled,
        coalesce(epochs.ended_at, histories.ended_at) as ended_at,
        coalesce(epochs.cancelled_at, histories.cancelled_at) as cancelled_at,
        split.state,
        split.status = 'past_due' and not split.is_assumed as is_past_due_since_known,
        split.state_since_at,
        split.next_status,
        greatest(split.starts_at, epochs.started_at) as starts_at,
        split.ends_at

    from split

    inner join epochs
        on
            split.subscription_id = epochs.subscription_id
            and split.known_from = epochs.known_from

    left join histories
        on
            split.subscription_id = histories.subscription_id
            and split.known_from = histories.known_from

    where split.ends_at is null or split.ends_at > greatest(split.starts_at, epochs.started_at)

)

select * from final
