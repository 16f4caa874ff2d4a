-- One row per version of a contact that was ever the latest known.

with

source as (

    select
        *,
        {{ is_told('updated_at') }} as _is_told

    from {{ source('crm', 'contacts') }}

    where created_at is null or created_at < {{ as_of() }} or _is_deleted

),

renamed as (

    select
        contact_id,
        account_id,
        full_name,
        email,
        phone,
        title,
        department,
        key_role,
        source as contact_source,
        created_at,
        updated_at,
        _extras as extras,
        _is_deleted,
        {{ counts('contact_id') }} as _counts,
        {{ known_from() }} as known_from,
        {{ known_until('contact_id') }} as known_until,
        {{ deleted_at('contact_id') }} as deleted_at

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
