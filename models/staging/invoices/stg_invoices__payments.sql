-- One row per version of a payment or refund that was ever the latest known.

with

source as (

    select
        *,
        {{ is_told() }} as _is_told

    from {{ source('invoices', 'payments') }}

    where paid_at < {{ as_of() }} or _is_deleted

),

renamed as (

    select
        payment_id,
        account_id,
        invoice_id,
        {{ currency_code('currency') }} as currency,
        amount,
        paid_at,
        lower(status) as status,
        _extras as extras,
        _is_deleted,
        {{ counts('payment_id') }} as _counts,
        {{ known_from() }} as known_from,
        {{ known_until('payment_id') }} as known_until,
        {{ deleted_at('payment_id') }} as deleted_at

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
