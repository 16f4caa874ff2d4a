-- One row per version of an item of a subscription, which has one price and quantity that was ever
-- the latest known.

with

source as (

    select
        *,
        {{ is_told() }} as _is_told

    from {{ source('invoices', 'subscription_items') }}

    where valid_from < {{ as_of() }} or _is_deleted

),

renamed as (

    select
        item_id,
        subscription_id,
        product,
        price,
        quantity,
        lower(interval) as billing_interval,
        coalesce(interval_count, 1) as interval_count,
        coalesce(is_metered, false) as is_metered,
        valid_from,
        valid_to,
        _extras as extras,
        _is_deleted,
        {{ counts('item_id, valid_from') }} as _counts,
        {{ known_from() }} as known_from,
        {{ known_until('item_id, valid_from') }} as known_until,
        {{ deleted_at('item_id, valid_from') }} as deleted_at

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
