-- One row per product event that happened before the as-of instant.

with

source as (

    select * from {{ source('events', 'events') }}

    where occurred_at < {{ as_of() }}

),

renamed as (

    select
        event_id,
        account_id,
        user_id,
        anonymous_id,
        occurred_at,
        received_at,
        event_type,
        event_name,
        package,
        module,
        feature,
        session_id,
        duration_seconds,
        coalesce(quantity, 1) as quantity,
        device,
        app_version,
        error_fingerprint,
        error_message,
        coalesce(is_unhandled, false) as is_unhandled,
        attributes,
        {{ known_from() }} as known_from

    from source

)

select * from renamed
