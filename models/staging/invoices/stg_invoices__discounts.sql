-- One row per version of a discount that was ever the latest known. Of a system that tells what
-- holds today alone (is_today_only), one that is not in the next delivery of its subscription ended
-- on that day; what the delivery tells of the subscription is its items.

with

source as (

    select
        *,
        {{ is_told() }} as _is_told

    from {{ source('invoices', 'discounts') }}

    where valid_from < {{ as_of() }} or _is_deleted

),

deliveries as (

    select
        subscription_id,
        _load_order,
        any_value(_known_at) as _known_at

    from {{ source('invoices', 'subscription_items') }}

    where is_today_only and not _is_deleted and _known_at <= {{ as_of() }}

    group by subscription_id, _load_order

),

followed as (

    select
        source.*,
        deliveries._load_order as _next_order,
        deliveries._known_at as _next_known_at

    from source

    asof inner join deliveries
        on
            source.subscription_id = deliveries.subscription_id
            and source._load_order < deliveries._load_order

    where source.is_today_only and not source._is_deleted

),

told as (

    select * from source

    union all by name

    select
        followed.* replace (
            greatest(
                followed.valid_from,
                least(
                    followed.valid_to,
                    {{ first_instant(known_day('followed._next_known_at')) }}
                )
            ) as valid_to,
            followed._next_known_at as _known_at,
            followed._next_order as _load_order,
            true as _is_told
        )

    from followed

    anti join source
        on
            followed.discount_id = source.discount_id
            and followed._next_order = source._load_order

),

renamed as (

    select
        discount_id,
        subscription_id,
        item_id,
        duration,
        percent_off,
        amount_off,
        {{ currency_code('currency') }} as currency,
        position,
        coalesce(is_today_only, false) as is_today_only,
        valid_from,
        valid_to,
        _extras as extras,
        _is_deleted,
        {{ counts('discount_id') }} as _counts,
        {{ known_from() }} as known_from,
        {{ known_until('discount_id') }} as known_until,
        {{ deleted_at('discount_id') }} as deleted_at

    from told

),

final as (

    select
        * exclude (_is_deleted, _counts),
        known_until = cast('9999-12-31' as timestamp with time zone) as is_latest

    from renamed

    where _counts and not _is_deleted and known_from < known_until

)

select * from final
