-- One row per version of a deal that was ever the latest known. A closing that has not happened
-- yet takes is_won back with it (spec 00, "What dates a row").

with

source as (

    select
        *,
        {{ is_told('updated_at') }} as _is_told

    from {{ source('crm', 'deals') }}

    where created_at < {{ as_of() }} or _is_deleted

),

renamed as (

    select
        deal_id,
        account_id,
        deal_name,
        stage,
        deal_type,
        amount,
        {{ currency_code('currency') }} as currency,
        owner_id,
        created_at,
        expected_close_on,
        {{ happened('closed_at') }} as closed_at,
        case when closed_at >= {{ as_of() }} then null else is_won end as is_won,
        coalesce(closed_at >= {{ as_of() }}, false) as is_closed_later,
        updated_at,
        _extras as extras,
        _is_deleted,
        {{ counts('deal_id') }} as _counts,
        {{ known_from() }} as known_from,
        {{ known_until('deal_id') }} as known_until,
        {{ deleted_at('deal_id') }} as deleted_at

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
