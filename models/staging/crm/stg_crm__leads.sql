-- One row per version of a lead that was ever the latest known. A conversion that has not happened
-- yet takes its account back with it (spec 00, "What dates a row").

with

source as (

    select
        *,
        {{ is_told('updated_at') }} as _is_told

    from {{ source('crm', 'leads') }}

    where created_at < {{ as_of() }} or _is_deleted

),

renamed as (

    select
        lead_id,
        lead_name,
        status,
        created_at,
        case
            when converted_at >= {{ as_of() }} then null else converted_account_id
        end as converted_account_id,
        {{ happened('converted_at') }} as converted_at,
        updated_at,
        _extras as extras,
        _is_deleted,
        {{ counts('lead_id') }} as _counts,
        {{ known_from() }} as known_from,
        {{ known_until('lead_id') }} as known_until,
        {{ deleted_at('lead_id') }} as deleted_at

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
