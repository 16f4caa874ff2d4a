-- One row per version of a health that a person has set that was ever the latest known.

with

source as (

    select
        *,
        {{ is_told() }} as _is_told

    from {{ source('crm', 'health_overrides') }}

    where starts_on < {{ as_of_day() }} or _is_deleted

),

renamed as (

    select
        account_id,
        starts_on,
        expires_on,
        score,
        state,
        author,
        reason,
        _extras as extras,
        _is_deleted,
        {{ counts('account_id, starts_on') }} as _counts,
        {{ known_from() }} as known_from,
        {{ known_until('account_id, starts_on') }} as known_until,
        {{ deleted_at('account_id, starts_on') }} as deleted_at

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
