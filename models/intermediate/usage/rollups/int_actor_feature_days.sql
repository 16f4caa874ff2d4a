-- One row per account, actor, package, module, feature and local day with an event: the finest
-- rollup. `(none)` is what an event does not name, so that times add up to the account's.

with

events as (

    select * from {{ ref('int_events_timed') }}

),

final as (

    select
        account_id,
        actor_id,
        user_id,
        package,
        module,
        feature,
        day,
        bool_or(is_activity) as is_active,
        bool_or(event_type = 'use') as is_used,
        cast(sum(active_us) as bigint) as active_us,
        cast(sum(case when event_type = 'use' then quantity else 0 end) as bigint) as use_count,
        cast(sum(case when event_type = 'login' then quantity else 0 end) as bigint) as login_count,
        cast(sum(case when event_type = 'error' then quantity else 0 end) as bigint) as error_count,
        cast(sum(case when is_activity then quantity else 0 end) as bigint) as action_count,
        cast(count_if(is_activity) as bigint) as event_count,
        cast(count_if(is_session_start) as bigint) as session_count,
        min(case when event_type = 'login' then occurred_at end) as first_login_at,
        max(case when event_type = 'login' then occurred_at end) as last_login_at,
        min(case when is_session_start then occurred_at end) as first_session_at,
        max(case when is_session_start then occurred_at end) as last_session_at,
        min(case when is_activity then occurred_at end) as first_activity_at,
        max(case when is_activity then occurred_at end) as last_activity_at,
        max(case when event_type = 'use' then occurred_at end) as last_used_at,
        max(case when is_activity and device is not null then occurred_at end) as last_device_at,
        max_by(device, struct_pack(occurred_at := occurred_at, device := device)) filter (
            where is_activity and device is not null
        ) as last_device,
        min(user_known_day) as user_known_day,
        min(case when is_activity then known_day end) as active_known_day,
        min(case when is_activity then user_known_day end) as user_active_known_day

    from events

    group by account_id, actor_id, user_id, package, module, feature, day

)

select * from final
