-- One row per account, actor and local day with an event: the user-day rollup. user_id is NULL for
-- anonymous and nameless actors, who count in an account's totals and never in its users.

with

feature_days as (

    select * from {{ ref('int_actor_feature_days') }}

),

due as (

    select * from {{ ref('int_usage_days_due') }}

),

final as (

    select
        feature_days.account_id,
        feature_days.actor_id,
        feature_days.user_id,
        feature_days.day,
        bool_or(feature_days.is_active) as is_active,
        cast(sum(feature_days.active_us) as bigint) as active_us,
        cast(sum(feature_days.session_count) as bigint) as session_count,
        cast(sum(feature_days.login_count) as bigint) as login_count,
        cast(sum(feature_days.error_count) as bigint) as error_count,
        cast(sum(feature_days.action_count) as bigint) as action_count,
        cast(sum(feature_days.event_count) as bigint) as event_count,
        min(feature_days.first_login_at) as first_login_at,
        max(feature_days.last_login_at) as last_login_at,
        min(feature_days.first_session_at) as first_session_at,
        max(feature_days.last_session_at) as last_session_at,
        min(feature_days.first_activity_at) as first_activity_at,
        max(feature_days.last_activity_at) as last_activity_at,
        max_by(
            feature_days.last_device,
            struct_pack(at := feature_days.last_device_at, device := feature_days.last_device)
        ) filter (where feature_days.last_device is not null) as last_device,
        min(feature_days.user_known_day) as user_known_day,
        min(feature_days.active_known_day) as active_known_day,
        min(feature_days.user_active_known_day) as user_active_known_day

    from feature_days

    inner join due on feature_days.account_id = due.account_id and feature_days.day = due.day

    group by
        feature_days.account_id, feature_days.actor_id, feature_days.user_id, feature_days.day

)

select * from final
