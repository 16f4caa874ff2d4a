-- One row per version of a document about a customer that was ever the latest known.

with

source as (

    select
        *,
        {{ is_told() }} as _is_told

    from {{ source('crm', 'documents') }}

    where created_at < {{ as_of() }} or _is_deleted

),

renamed as (

    select
        document_id,
        account_id,
        document_type,
        title,
        uri,
        created_at,
        _extras as extras,
        _is_deleted,
        {{ counts('document_id') }} as _counts,
        {{ known_from() }} as known_from,
        {{ known_until('document_id') }} as known_until,
        {{ deleted_at('document_id') }} as deleted_at

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
