-- One row per account and local week, in windows that end with the week's last day, or with the
-- last full day in the week that has not ended: how often, how long, how widely and by whom the
-- product is used (spec 30, "Definitions").

with

activity as (

    select
        *,
        {{ week_of('day') }} as week,
        coalesce({{ local_day('last_activity_at') }} = day, false) as is_active_day

    from {{ ref('fct_account_activity_daily') }}

),

user_spans as (

    select * from {{ ref('int_user_class_spans') }}

),

module_spans as (

    select * from {{ ref('int_module_spans') }}

),

core_use_days as (

    select * from {{ ref('int_core_use_days') }}

),

rolled as (

    -- An account's days have no gaps, so that rows are days.
    select
        activity.account_id,
        activity.day,
        activity.week,
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
        sum(coalesce(core_use_days.core_use_count, 0)) over last_30 as core_use_count

    from activity

    left join core_use_days
        on
            activity.account_id = core_use_days.account_id
            and activity.day = core_use_days.day

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

    select *

    from rolled

    where day = week + 6 or day = {{ as_of_day() }} - 1

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
        sum(deltas.change) filter (where deltas.measure = 'modules_used') as modules_used,
        sum(deltas.change) filter (where deltas.measure = 'modules_entitled')
            as modules_entitled

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
        sum(coalesce(deltas_by_week.modules_used, 0)) over account_so_far as modules_used,
        sum(coalesce(deltas_by_week.modules_entitled, 0)) over account_so_far
            as modules_entitled

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
        case
            when active_days_14d >= 8 then 'daily'
            when active_days_7d > 0 and active_days_14d > active_days_7d then 'weekly'
            when active_days_30d > 0 then 'monthly'
            else 'none'
        end as usage_frequency,
        cast(active_days_14d as bigint) as active_days_14d,
        cast(active_days_30d as bigint) as active_days_30d,
        cast(sessions as bigint) as sessions,
        cast(coalesce(prior_sessions, 0) as bigint) as prior_sessions,
        cast(4 * sessions / nullif(prior_sessions, 0) - 1 as double) as sessions_change_ratio,
        cast(active_us / nullif(sessions, 0) / 1000000 as double) as mean_session_length,
        cast(prior_us / nullif(prior_sessions, 0) / 1000000 as double)
            as prior_mean_session_length,
        cast(
            (active_us / nullif(sessions, 0)) / nullif(prior_us / nullif(prior_sessions, 0), 0) - 1
            as double
        ) as session_length_change_ratio,
        cast(user_days / 30 as double) as mean_dau_30d,
        cast(mau as bigint) as mau,
        cast(user_days / 30 / nullif(mau, 0) as double) as stickiness_ratio,
        cast(user_days as bigint) as user_days_30d,
        cast(user_days / nullif(mau, 0) as double) as active_days_per_user,
        cast(core_use_count as bigint) as core_use_count_30d,
        cast(core_use_count / nullif(mau, 0) as double) as depth,
        cast(modules_used as bigint) as modules_used_30d,
        cast(modules_entitled as bigint) as entitled_modules,
        cast(modules_used / nullif(modules_entitled, 0) as double) as breadth_ratio,
        cast(registered_users_30d as bigint) as registered_users_30d,
        cast(mau as bigint) as active_users,
        cast(registered_users_30d - mau as bigint) as dormant_users,
        cast(registered_users_30d - seen as bigint) as never_seen_users,
        cast(very_active as bigint) as very_active_class_users,
        cast(active - very_active as bigint) as active_class_users,
        cast(logged_in - active as bigint) as occasional_class_users,
        cast(new as bigint) as new_class_users,
        cast(registered_users_30d - logged_in - new as bigint) as sleeper_class_users,
        week + 6 >= {{ as_of_day() }} as is_partial

    from running

)

select * from final
