-- One row per account, period (the last 7, 14, 30 or 90 full days) and identified user who was
-- active in it: the place by active seconds, then actions, then id, against the period of the same
-- length before.

with

actor_days as (

    select
        *,
        {{ as_of_day() }} - day as days_ago

    from {{ ref('int_actor_days') }}

    where day >= {{ as_of_day() }} - 180 and day < {{ as_of_day() }} and user_id is not null

),

accounts as (

    select * from {{ ref('int_accounts_dated') }}

    where not is_test and merged_day is null

),

periods (period_days) as (

    values (7), (14), (30), (90)

),

boards as (

    -- A day stands in every period that holds it, or whose period before does.
    select
        actor_days.account_id,
        actor_days.user_id,
        periods.period_days,
        coalesce(
            bool_or(actor_days.is_active) filter (
                where actor_days.days_ago <= periods.period_days
            ),
            false
        ) as is_active,
        sum(actor_days.active_us) filter (
            where actor_days.days_ago <= periods.period_days
        ) as active_us,
        sum(actor_days.action_count) filter (
            where actor_days.days_ago <= periods.period_days
        ) as actions,
        coalesce(
            bool_or(actor_days.is_active) filter (
                where actor_days.days_ago > periods.period_days
            ),
            false
        ) as was_active,
        sum(actor_days.active_us) filter (
            where actor_days.days_ago > periods.period_days
        ) as prior_us,
        sum(actor_days.action_count) filter (
            where actor_days.days_ago > periods.period_days
        ) as prior_actions

    from actor_days

    inner join accounts on actor_days.account_id = accounts.account_id

    inner join periods on actor_days.days_ago <= 2 * periods.period_days

    group by actor_days.account_id, actor_days.user_id, periods.period_days

),

ranked as (

    select
        *,
        row_number() over (
            partition by account_id, period_days, is_active
            order by active_us desc, actions desc, user_id asc
        ) as rank,
        case
            when was_active
                then
                    row_number() over (
                        partition by account_id, period_days, was_active
                        order by prior_us desc, prior_actions desc, user_id asc
                    )
        end as prior_rank

    from boards

),

final as (

    select
        account_id,
        cast(period_days as bigint) as period_days,
        user_id,
        rank,
        prior_rank,
        prior_rank - rank as rank_change,
        cast(active_us / 1000000 as double) as active_seconds,
        cast(actions as bigint) as actions,
        not was_active as is_new

    from ranked

    where is_active

)

select * from final
