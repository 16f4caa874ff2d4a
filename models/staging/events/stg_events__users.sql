-- One row per version of a product user that was ever the latest known.

with

source as (

    select
        *,
        {{ is_told('updated_at') }} as _is_told

    from {{ source('events', 'users') }}

    where created_at is null or created_at < {{ as_of() }} or _is_deleted

),

renamed as (

    select
        account_id,
        user_id,
        email,
        full_name,
        created_at,
        {{ happened('deactivated_at') }} as deactivated_at,
        coalesce(is_internal, false) as is_internal,
        sign_in_providers,
        updated_at,
        _extras as extras,
        _is_deleted,
        {{ counts('account_id, user_id') }} as _counts,
        {{ known_from() }} as known_from,
        {{ known_until('account_id, user_id') }} as known_until,
        {{ deleted_at('account_id, user_id') }} as deleted_at

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
