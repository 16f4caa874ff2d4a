-- One row per version of a flag on a product user that was ever the latest known.

with

source as (

    select
        *,
        {{ is_told() }} as _is_told

    from {{ source('crm', 'user_flags') }}

    where set_at < {{ as_of() }} or _is_deleted

),

renamed as (

    select
        account_id,
        user_id,
        flag,
        set_at,
        {{ happened('cleared_at') }} as cleared_at,
        _extras as extras,
        _is_deleted,
        {{ counts('account_id, user_id, flag') }} as _counts,
        {{ known_from() }} as known_from,
        {{ known_until('account_id, user_id, flag') }} as known_until,
        {{ deleted_at('account_id, user_id, flag') }} as deleted_at

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
