-- One row per version of a currency's rate of a day that was ever the latest known: the reporting
-- currency per unit of it.

with

source as (

    select
        *,
        {{ is_told() }} as _is_told

    from {{ source('invoices', 'fx_rates') }}

    where {{ first_instant('day') }} < {{ as_of() }} or _is_deleted

),

renamed as (

    select
        {{ currency_code('currency') }} as currency,
        day,
        rate,
        _extras as extras,
        _is_deleted,
        {{ counts(currency_code('currency') ~ ', day') }} as _counts,
        {{ known_from() }} as known_from,
        {{ known_until(currency_code('currency') ~ ', day') }} as known_until,
        {{ deleted_at(currency_code('currency') ~ ', day') }} as deleted_at

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
