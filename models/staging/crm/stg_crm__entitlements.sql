-- One row per version of an entitlement that was ever the latest known.

with

source as (

    select
        *,
        {{ is_told() }} as _is_told

    from {{ source('crm', 'entitlements') }}

    where valid_from < {{ as_of() }} or _is_deleted

),

renamed as (

    select
        entitlement_id,
        account_id,
        plan,
        package,
        module,
        feature,
        limit_name,
        limit_quantity,
        usage_metric,
        valid_from,
        valid_to,
        _extras as extras,
        _is_deleted,
        {{ counts('entitlement_id') }} as _counts,
        {{ known_from() }} as known_from,
        {{ known_until('entitlement_id') }} as known_until,
        {{ deleted_at('entitlement_id') }} as deleted_at

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
