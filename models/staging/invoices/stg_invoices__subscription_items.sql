-- One row per version of an item of a subscription, which has one price and quantity that was ever
-- the latest known. An item costs one price at a time: where its next one begins before a row says
-- that it ends (a source that lists today's items alone never says it), it ends there, from when
-- the next one is known.

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

counted as (

    select
        * exclude (_is_deleted, _counts),
        known_until = cast('9999-12-31' as timestamp with time zone) as is_latest

    from renamed

    where _counts and not _is_deleted and known_from < known_until

),

followed as (

    select
        *,
        lead(valid_from) over (
            partition by item_id, is_latest order by valid_from, known_from
        ) as _next_from,
        lead(known_from) over (
            partition by item_id, is_latest order by valid_from, known_from
        ) as _next_known_from

    from counted

),

overlapped as (

    select
        *,
        coalesce(
            is_latest
            and _next_from < coalesce(valid_to, cast('infinity' as timestamp with time zone)),
            false
        ) as _is_cut

    from followed

),

final as (

    select
        * exclude (_next_from, _next_known_from, _is_cut)
        replace (
            case when _is_cut then _next_from else valid_to end as valid_to,
            case when _is_cut then greatest(known_from, _next_known_from) else known_from end
                as known_from
        )

    from overlapped

    union all

    -- Until the next one is known it goes on.
    select
        * exclude (_next_from, _next_known_from, _is_cut)
        replace (_next_known_from as known_until, false as is_latest)

    from overlapped

    where _is_cut and known_from < _next_known_from

)

select * from final
