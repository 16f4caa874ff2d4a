-- One row per version of a licence that was ever the latest known. A suspension that has not
-- happened yet takes its word back with it (spec 00, "What dates a row").

with

source as (

    select
        *,
        {{ is_told('updated_at') }} as _is_told

    from {{ source('crm', 'licenses') }}

    where started_at < {{ as_of() }} or _is_deleted

),

renamed as (

    select
        license_id,
        account_id,
        package,
        case
            when lower(trim(status)) = 'suspended' and suspended_at >= {{ as_of() }} then 'active'
            else lower(trim(status))
        end as status,
        coalesce(is_trial, false) as is_trial,
        coalesce(is_unlimited, false) as is_unlimited,
        seats_purchased,
        seats_allocated,
        started_at,
        {{ happened('suspended_at') }} as suspended_at,
        expires_on,
        updated_at,
        _extras as extras,
        _is_deleted,
        {{ counts('license_id') }} as _counts,
        {{ known_from() }} as known_from,
        {{ known_until('license_id') }} as known_until,
        {{ deleted_at('license_id') }} as deleted_at

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
