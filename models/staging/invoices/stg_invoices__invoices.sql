-- One row per version of an invoice that was ever the latest known. What has not happened yet takes
-- its word back with it (spec 00, "What dates a row"): paid tomorrow is open today. The billing
-- system's own word stands beside as status_word.

with

source as (

    select
        *,
        {{ is_told() }} as _is_told

    from {{ source('invoices', 'invoices') }}

    where created_at < {{ as_of() }} or _is_deleted

),

renamed as (

    select
        invoice_id,
        account_id,
        subscription_id,
        number,
        case
            when voided_at < {{ as_of() }}
                or (
                    lower(status) in ('void', 'voided', 'canceled', 'cancelled')
                    and voided_at is null
                )
                then 'void'
            when lower(status) = 'draft' then 'draft'
            when lower(status) in ('uncollectible', 'written_off', 'bad_debt')
                then 'uncollectible'
            when
                paid_at < {{ as_of() }} or (lower(status) = 'paid' and paid_at is null)
                then 'paid'
            when issued_at >= {{ as_of() }} then 'draft'
            else 'open'
        end as status,
        status as status_word,
        {{ currency_code('currency') }} as currency,
        created_at,
        {{ happened('issued_at') }} as issued_at,
        due_on,
        {{ happened('paid_at') }} as paid_at,
        {{ happened('voided_at') }} as voided_at,
        subtotal_amount,
        discount_amount,
        tax_amount,
        total_amount,
        _extras as extras,
        _is_deleted,
        {{ counts('invoice_id') }} as _counts,
        {{ known_from() }} as known_from,
        {{ known_until('invoice_id') }} as known_until,
        {{ deleted_at('invoice_id') }} as deleted_at

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
