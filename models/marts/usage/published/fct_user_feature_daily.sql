-- One row per account, user, package, licence, module, feature and full local day with an event:
-- the finest rollup, published.

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
        feature,
        day,
        cast(login_count as bigint) as logins,
        cast(session_count as bigint) as sessions,
        cast(active_us / 1000000 as double) as active_seconds,
        cast(use_count as bigint) as use_count,
        cast(event_count as bigint) as events,
        is_active,
        is_used,
        last_device

    from feature_days

)

select * from final
