-- One row per version of an item of a subscription, which has one price and quantity that was ever
-- the latest known. An item costs one price at a time: where its next one begins before a row says
-- that it ends (a source that lists today's items alone never says it), it ends there, from when
-- the next one is known.
--
-- Of a system that tells what holds today alone (is_today_only) the deliveries are the history: an
-- item that reads otherwise than in the delivery before does so from that day on, and one that its
-- subscription no longer lists ended where what took its place began, else on that day.

with

source as (

    select
        *,
        {{ is_told() }} as _is_told

    from {{ source('invoices', 'subscription_items') }}

    where valid_from < {{ as_of() }} or _is_deleted

),

today_items as (

    select distinct item_id from source

    where is_today_only

),

todays as (

    select
        source.*,
        {{ counts('source.item_id, source.valid_from') }} as _counts

    from source

    semi join today_items on source.item_id = today_items.item_id

),

placed as (

    -- The deliveries that tell of a subscription are numbered.
    select
        * exclude (_counts),
        dense_rank() over (partition by subscription_id order by _load_order) as _place,
        row(price, quantity, interval, interval_count, is_metered) as _reads,
        {{ first_instant(known_day('_known_at')) }} as _delivered_from

    from todays

    where _counts

),

compared as (

    select
        *,
        lag(_place) over item_so_far as _last_place,
        lead(_place) over item_so_far as _next_place,
        lag(_reads) over item_so_far as _read_before,
        max(valid_from) filter (where _place = 1) over (partition by subscription_id)
            as _listed_first_from

    from placed

    window item_so_far as (partition by item_id, valid_from order by _load_order, _row)

),

begun as (

    -- One that is listed after what began no earlier has not been there since then.
    select
        * replace (
            greatest(
                valid_from,
                last_value(
                    case
                        when
                            _last_place is null
                            and _place > 1
                            and valid_from <= _listed_first_from
                            or _last_place is not null
                            and (
                                _reads is distinct from _read_before or _place > _last_place + 1
                            )
                            then _delivered_from
                    end ignore nulls
                ) over (
                    partition by item_id, valid_from
                    order by _load_order, _row
                    rows unbounded preceding
                )
            ) as valid_from
        )

    from compared

),

deliveries as (

    select
        subscription_id,
        _place,
        any_value(_load_order) as _load_order,
        any_value(_known_at) as _known_at,
        any_value(_version_at) as _version_at,
        coalesce(
            min(valid_from) filter (where _last_place is null), any_value(_delivered_from)
        ) as _ends_at

    from begun

    where not _is_deleted

    group by subscription_id, _place

),

told as (

    select * from begun

    union all by name

    select
        begun.* replace (
            case
                when deliveries._ends_at is null then begun.valid_to
                else greatest(begun.valid_from, least(begun.valid_to, deliveries._ends_at))
            end as valid_to,
            deliveries._load_order as _load_order,
            deliveries._known_at as _known_at,
            deliveries._version_at as _version_at,
            true as _is_told
        )

    from begun

    inner join deliveries
        on
            begun.subscription_id = deliveries.subscription_id
            and begun._place + 1 = deliveries._place

    where
        not begun._is_deleted
        and (begun._next_place is null or begun._next_place > deliveries._place)

    union all by name

    select source.*

    from source

    anti join today_items on source.item_id = today_items.item_id

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
        coalesce(is_today_only, false) as is_today_only,
        valid_from,
        valid_to,
        _extras as extras,
        _is_deleted,
        {{ counts('item_id, valid_from') }} as _counts,
        {{ known_from() }} as known_from,
        {{ known_until('item_id, valid_from') }} as known_until,
        {{ deleted_at('item_id, valid_from') }} as deleted_at

    from told

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
