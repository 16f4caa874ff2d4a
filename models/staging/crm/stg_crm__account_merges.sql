-- One row per version of a merge of an account into another one that was ever the latest known.

with

source as (

    select
        *,
        {{ is_told() }} as _is_told

    from {{ source('crm', 'account_merges') }}

    where merged_at < {{ as_of() }} or _is_deleted

),

renamed as (

    select
        from_account_id,
        into_account_id,
        merged_at,
        _extras as extras,
        _is_deleted,
        {{ counts('from_account_id') }} as _counts,
        {{ known_from() }} as known_from,
        {{ known_until('from_account_id') }} as known_until,
        {{ deleted_at('from_account_id') }} as deleted_at

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
