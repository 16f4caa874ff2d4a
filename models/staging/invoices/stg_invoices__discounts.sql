-- One row per version of a discount that was ever the latest known.

with

source as (

    select
        *,
        {{ is_told() }} as _is_told

    from {{ source('invoices', 'discounts') }}

    where valid_from < {{ as_of() }} or _is_deleted

),

renamed as (

    select
        discount_id,
        subscription_id,
        item_id,
        duration,
        percent_off,
        amount_off,
        upper(currency) as currency,
        position,
        valid_from,
        valid_to,
        _extras as extras,
        _is_deleted,
        {{ counts('discount_id') }} as _counts,
        {{ known_from() }} as known_from,
        {{ known_until('discount_id') }} as known_until,
        {{ deleted_at('discount_id') }} as deleted_at

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
