-- One row per account, actor, package, version, fingerprint and local day of unhandled errors.

with

events as (

    select * from {{ ref('int_events_counted') }}

    where event_type = 'error' and is_unhandled

),

final as (

    select
        account_id,
        actor_id,
        user_id,
        package,
        coalesce(app_version, '(none)') as app_version,
        coalesce(error_fingerprint, '(none)') as error_fingerprint,
        day,
        cast(sum(quantity) as bigint) as occurrence_count,
        min(occurred_at) as first_seen_at,
        max(occurred_at) as last_seen_at,
        max(occurred_at) filter (where error_message is not null) as last_message_at,
        max_by(
            error_message, struct_pack(occurred_at := occurred_at, event_id := event_id)
        ) filter (where error_message is not null) as error_message

    from events

    group by all

)

select * from final
