-- One row per version of an answer to an NPS survey that was ever the latest known.

with

source as (

    select
        *,
        {{ is_told() }} as _is_told

    from {{ source('crm', 'nps_responses') }}

    where submitted_at < {{ as_of() }} or _is_deleted

),

renamed as (

    select
        response_id,
        account_id,
        user_id,
        email,
        score,
        comment,
        source as response_source,
        submitted_at,
        _extras as extras,
        _is_deleted,
        {{ counts('response_id') }} as _counts,
        {{ known_from() }} as known_from,
        {{ known_until('response_id') }} as known_until,
        {{ deleted_at('response_id') }} as deleted_at

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
