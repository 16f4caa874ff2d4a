-- One row per account, user, package, licence, module and full local day with an event: the rollup,
-- published. Every measure but the device sums to a user's day.

with

feature_days as (

    select * from {{ ref('int_user_feature_days_licensed') }}

),

final as (

    select
        account_id,
        user_id,
        package,
        license_id,
        module,
        day,
        cast(sum(login_count) as bigint) as logins,
        cast(sum(session_count) as bigint) as sessions,
        cast(sum(active_us) / 1000000 as double) as active_seconds,
        cast(sum(use_count) as bigint) as use_count,
        cast(sum(event_count) as bigint) as events,
        bool_or(is_active) as is_active,
        bool_or(is_used) as is_used,
        max_by(last_device, struct_pack(at := last_device_at, device := last_device)) filter (
            where last_device is not null
        ) as last_device

    from feature_days

    group by account_id, user_id, package, license_id, module, day

)

select * from final
