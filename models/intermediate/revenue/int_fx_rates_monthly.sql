-- One row per currency, other than the reporting one, and local month that has a rate: the last one
-- published before the month's first instant, at most 7 days old (spec 20, "Currency"), to the
-- month of the last instant before the as-of one. The reporting currency is worth 1 and has no row.

{{ config(materialized='table') }}

with

rates as (

    select * from {{ ref('stg_invoices__fx_rates') }}

),

dated as (

    -- Seven days reach into one month only: the next one.
    select
        currency,
        cast(date_trunc('month', day) + interval 1 month as date) as month,
        day,
        rate

    from rates

    where
        is_latest
        and (deleted_at is null or deleted_at >= {{ as_of() }})
        and currency <> '{{ var("reporting_currency") }}'

),

final as (

    select
        currency,
        month,
        rate

    from dated

    where
        day >= month - 7
        and month <= {{ known_day(as_of()) }}

    qualify row_number() over (partition by currency, month order by day desc) = 1

)

select * from final
