-- One row per version of a person's consent that was ever the latest known.

with

source as (

    select
        *,
        {{ is_told() }} as _is_told

    from {{ source('crm', 'consents') }}

    where granted_at < {{ as_of() }} or _is_deleted

),

renamed as (

    select
        subject,
        purpose,
        granted_at,
        {{ happened('withdrawn_at') }} as withdrawn_at,
        source as consent_source,
        text_version,
        _extras as extras,
        _is_deleted,
        {{ counts('subject, purpose, granted_at') }} as _counts,
        {{ known_from() }} as known_from,
        {{ known_until('subject, purpose, granted_at') }} as known_until,
        {{ deleted_at('subject, purpose, granted_at') }} as deleted_at

    from source

),

final as (

    select
        * exclude (_is_deleted, _counts),
        known_until = cast('9999-12-31' as timestamp with time zone) as is_latest

    from renamed

    where _counts and not _is_deleted and known_from < known_until

)

select * from final
