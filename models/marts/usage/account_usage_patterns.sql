-- One row per account and local week, in windows that end with the week's last day, or with the
-- last full day in the week that has not ended: how often, how long, how widely and by whom the
-- product is used (spec 30, "Definitions").

with

account_weeks as (

    select
        *,
        user_actions_14d / known_days_14d as avg_daily_user_actions_14d,
        {{ first_instant('ends_on + 1') }} as ends_at

    from {{ ref('int_account_weeks') }}

),

entitled_spans as (

    select * from {{ ref('int_module_spans') }}

    where measure = 'modules_entitled'

),

versions as (

    select * from {{ ref('int_accounts_versioned') }}

),

statuses as (

    select * from {{ ref('int_account_statuses_dated') }}

),

crm_statuses as (

    select * from {{ ref('account_statuses') }}

),

named_weeks as (

    select
        account_weeks.*,
        coalesce(statuses.account_status, crm_statuses.account_status, 'lead') as account_status

    from account_weeks

    asof left join versions
        on
            account_weeks.account_id = versions.account_id
            and account_weeks.ends_at > versions.valid_from

    asof left join statuses
        on
            account_weeks.account_id = statuses.account_id
            and account_weeks.ends_at > statuses.changed_at

    left join crm_statuses on lower(versions.status) = crm_statuses.crm_status

),

engaged as (

    -- Ties share a rank, and who is under one action a day has nobody below.
    select
        *,
        case
            when avg_daily_user_actions_14d < 1 then 0
            else
                100
                * (rank() over (
                    partition by week, account_status order by avg_daily_user_actions_14d
                ) - 1)
                / count(*) over (partition by week, account_status)
        end as engagement_score

    from named_weeks

),

entitled as (

    select
        account_weeks.account_id,
        account_weeks.week,
        count(*) as modules_entitled

    from account_weeks

    inner join entitled_spans
        on
            account_weeks.account_id = entitled_spans.account_id
            and account_weeks.ends_on between entitled_spans.first_day and entitled_spans.last_day

    group by account_weeks.account_id, account_weeks.week

),

told as (

    select
        engaged.*,
        entitled.modules_entitled

    from engaged

    left join entitled
        on engaged.account_id = entitled.account_id and engaged.week = entitled.week

),

final as (

    select
        account_id,
        week,
        ends_on,
        account_status,
        case
            when active_days_14d >= 8 then 'daily'
            when active_days_7d > 0 and active_days_14d > active_days_7d then 'weekly'
            when active_days_30d > 0 then 'monthly'
            else 'none'
        end as usage_frequency,
        active_days_14d,
        active_days_30d,
        sessions,
        prior_sessions,
        cast(4 * sessions / nullif(prior_sessions, 0) - 1 as double) as sessions_change_ratio,
        cast(active_us / nullif(sessions, 0) / 1000000 as double) as mean_session_length,
        cast(prior_us / nullif(prior_sessions, 0) / 1000000 as double)
            as prior_mean_session_length,
        cast(
            (active_us / nullif(sessions, 0)) / nullif(prior_us / nullif(prior_sessions, 0), 0) - 1
            as double
        ) as session_length_change_ratio,
        cast(user_days / 30 as double) as mean_dau_30d,
        mau,
        cast(user_days / 30 / nullif(mau, 0) as double) as stickiness_ratio,
        user_days as user_days_30d,
        cast(user_days / nullif(mau, 0) as double) as active_days_per_user,
        core_use_count as core_use_count_30d,
        cast(core_use_count / nullif(mau, 0) as double) as depth,
        user_actions_14d,
        known_days_14d,
        cast(avg_daily_user_actions_14d as double) as avg_daily_user_actions_14d,
        cast(engagement_score as double) as engagement_score,
        modules_used as modules_used_30d,
        coalesce(modules_entitled, 0) as entitled_modules,
        cast(modules_used / modules_entitled as double) as breadth_ratio,
        registered_users_30d,
        mau as active_users,
        registered_users_30d - mau as dormant_users,
        registered_users_30d - seen as never_seen_users,
        very_active as very_active_class_users,
        active - very_active as active_class_users,
        logged_in - active as occasional_class_users,
        new as new_class_users,
        registered_users_30d - logged_in - new as sleeper_class_users,
        week + 6 >= {{ as_of_day() }} as is_partial

    from told

)

select * from final
