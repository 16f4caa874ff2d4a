-- One row per version of a line of an invoice that was ever the latest known; its invoice dates it.

with

source as (

    select
        *,
        {{ is_told() }} as _is_told

    from {{ source('invoices', 'invoice_lines') }}

),

renamed as (

    select
        line_id,
        invoice_id,
        subscription_id,
        item_id,
        user_id,
        lower(kind) as kind,
        order_kind,
        description,
        quantity,
        amount,
        coalesce(is_proration, false) as is_proration,
        period_start_at,
        period_end_at,
        _extras as extras,
        _is_deleted,
        {{ counts('line_id') }} as _counts,
        {{ known_from() }} as known_from,
        {{ known_until('line_id') }} as known_until,
        {{ deleted_at('line_id') }} as deleted_at

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
