-- One row per account and local week: what its windows hold that end with the week's last day, or
-- with the last full day in the week that has not ended, and how many users are of which class by
-- then.

{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='append_new_columns',
    full_refresh=false,
    tags=['kept'],
    pre_hook="{{ forget_from_due(ref('int_accounts_due'), 'week') }}",
) }}

with

due as (

    select * from {{ ref('int_accounts_due') }}

),

activity as (

    -- 35 days before a week's end, which is no earlier than the sixth day that is due.
    select
        activity.*,
        due.due_from,
        {{ week_of('activity.day') }} as week,
        coalesce({{ local_day('activity.last_activity_at') }} = activity.day, false)
            as is_active_day

    from {{ ref('fct_account_activity_daily') }} as activity

    inner join due
        on activity.account_id = due.account_id and activity.day >= due.due_from - 34

),

user_spans as (

    select * from {{ ref('int_user_class_spans') }}

),

module_spans as (

    select * from {{ ref('int_module_spans') }}

    where measure = 'modules_used'

),

core_use_days as (

    select * from {{ ref('int_core_use_days') }}

),

user_actions as (

    select
        actor_days.account_id,
        actor_days.day,
        sum(actor_days.action_count) as action_count

    from {{ ref('int_actor_days') }} as actor_days

    inner join due
        on actor_days.account_id = due.account_id and actor_days.day >= due.due_from - 13

    where actor_days.user_id is not null and actor_days.day < {{ as_of_day() }}

    group by actor_days.account_id, actor_days.day

),

rolled as (

    -- An account's days have no gaps, so that rows are days.
    select
        activity.account_id,
        activity.day,
        activity.week,
        activity.due_from,
        activity.mau,
        activity.registered_users_30d,
        sum(activity.sessions) over last_7 as sessions,
        sum(cast(round(activity.active_seconds * 1000000) as bigint)) over last_7 as active_us,
        sum(activity.sessions) over prior_28 as prior_sessions,
        sum(cast(round(activity.active_seconds * 1000000) as bigint)) over prior_28 as prior_us,
        sum(activity.dau) over last_30 as user_days,
        count_if(activity.is_active_day) over last_30 as active_days_30d,
        count_if(activity.is_active_day) over last_14 as active_days_14d,
        count_if(activity.is_active_day) over last_7 as active_days_7d,
        sum(coalesce(user_actions.action_count, 0)) over last_14 as user_actions_14d,
        count(*) over last_14 as known_days_14d,
        sum(coalesce(core_use_days.core_use_count, 0)) over last_30 as core_use_count

    from activity

    left join core_use_days
        on
            activity.account_id = core_use_days.account_id
            and activity.day = core_use_days.day

    left join user_actions
        on
            activity.account_id = user_actions.account_id
            and activity.day = user_actions.day

    window
        last_7 as (
            partition by activity.account_id
            order by activity.day
            rows between 6 preceding and current row
        ),
        last_14 as (
            partition by activity.account_id
            order by activity.day
            rows between 13 preceding and current row
        ),
        last_30 as (
            partition by activity.account_id
            order by activity.day
            rows between 29 preceding and current row
        ),
        prior_28 as (
            partition by activity.account_id
            order by activity.day
            rows between 34 preceding and 7 preceding
        )

),

weeks as (

    select * from rolled

    where week >= due_from and (day = week + 6 or day = {{ as_of_day() }} - 1)

),

spans as (

    select
        account_id,
        measure,
        first_day,
        last_day

    from user_spans

    union all

    select
        account_id,
        measure,
        first_day,
        last_day

    from module_spans

),

deltas as (

    select
        account_id,
        measure,
        first_day as day,
        1 as change

    from spans

    union all

    select
        account_id,
        measure,
        last_day + 1 as day,
        -1 as change

    from spans

),

first_weeks as (

    select
        account_id,
        min(week) as week

    from weeks

    group by account_id

),

deltas_by_week as (

    -- What changed on a day shows at the end of its week; what was there before, in the first one.
    select
        deltas.account_id,
        greatest({{ week_of('deltas.day') }}, first_weeks.week) as week,
        sum(deltas.change) filter (where deltas.measure = 'very_active') as very_active,
        sum(deltas.change) filter (where deltas.measure = 'active') as active,
        sum(deltas.change) filter (where deltas.measure = 'logged_in') as logged_in,
        sum(deltas.change) filter (where deltas.measure = 'new') as new,
        sum(deltas.change) filter (where deltas.measure = 'seen') as seen,
        sum(deltas.change) filter (where deltas.measure = 'modules_used') as modules_used

    from deltas

    inner join first_weeks on deltas.account_id = first_weeks.account_id

    where deltas.day < {{ as_of_day() }}

    group by all

),

running as (

    select
        weeks.*,
        sum(coalesce(deltas_by_week.very_active, 0)) over account_so_far as very_active,
        sum(coalesce(deltas_by_week.active, 0)) over account_so_far as active,
        sum(coalesce(deltas_by_week.logged_in, 0)) over account_so_far as logged_in,
        sum(coalesce(deltas_by_week.new, 0)) over account_so_far as new,
        sum(coalesce(deltas_by_week.seen, 0)) over account_so_far as seen,
        sum(coalesce(deltas_by_week.modules_used, 0)) over account_so_far as modules_used

    from weeks

    left join deltas_by_week
        on
            weeks.account_id = deltas_by_week.account_id
            and weeks.week = deltas_by_week.week

    window
        account_so_far as (
            partition by weeks.account_id order by weeks.week rows unbounded preceding
        )

),

final as (

    select
        account_id,
        week,
        day as ends_on,
        cast(sessions as bigint) as sessions,
        cast(active_us as bigint) as active_us,
        cast(coalesce(prior_sessions, 0) as bigint) as prior_sessions,
        cast(prior_us as bigint) as prior_us,
        cast(user_days as bigint) as user_days,
        cast(active_days_30d as bigint) as active_days_30d,
        cast(active_days_14d as bigint) as active_days_14d,
        cast(active_days_7d as bigint) as active_days_7d,
        cast(user_actions_14d as bigint) as user_actions_14d,
        cast(known_days_14d as bigint) as known_days_14d,
        cast(core_use_count as bigint) as core_use_count,
        cast(mau as bigint) as mau,
        cast(registered_users_30d as bigint) as registered_users_30d,
        cast(very_active as bigint) as very_active,
        cast(active as bigint) as active,
        cast(logged_in as bigint) as logged_in,
        cast(new as bigint) as new,
        cast(seen as bigint) as seen,
        cast(modules_used as bigint) as modules_used

    from running

)

select * from final
