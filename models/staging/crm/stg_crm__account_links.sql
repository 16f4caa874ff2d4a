-- One row per version of a link from a source's own id to an account that was ever the latest
-- known.

with

source as (

    select
        *,
        {{ is_told() }} as _is_told

    from {{ source('crm', 'account_links') }}

),

renamed as (

    select
        source as link_source,
        source_account_id,
        account_id,
        valid_from,
        valid_to,
        _extras as extras,
        _is_deleted,
        {{ counts('source, source_account_id') }} as _counts,
        {{ known_from() }} as known_from,
        {{ known_until('source, source_account_id') }} as known_until,
        {{ deleted_at('source, source_account_id') }} as deleted_at

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
