-- One row per item and phase of a subscription, for the time in which item and phase overlap, at
-- the item's own price, quantity and interval. Money is rounded here, once, half-even (spec 00,
-- "Numbers"): every coarser amount is a sum of these. An amount in a currency other than the
-- reporting one waits for its rate; assert_every_currency_can_be_reported counts those.

{{ config(materialized='table') }}

with

phases as (

    select * from {{ ref('int_subscription_phases') }}

),

items as (

    select * from {{ ref('stg_invoices__subscription_items') }}

),

overlapping as (

    select
        phases.account_id,
        phases.subscription_id,
        items.item_id,
        phases.phase,
        phases.plan,
        items.product,
        phases.currency,
        items.price,
        items.quantity,
        items.billing_interval,
        items.interval_count,
        greatest(phases.starts_at, items.valid_from) as starts_at,
        least(phases.ends_at, items.valid_to, items.deleted_at) as ends_at,
        coalesce(phases.cancelled_at, phases.cancel_at) is not null
        or phases.status in ('canceled', 'cancelled') as is_cancelled,
        greatest(phases.known_from, items.known_from) as known_from,
        least(phases.known_until, items.known_until) as known_until,
        phases.is_latest and items.is_latest as is_latest

    from phases

    inner join items on phases.subscription_id = items.subscription_id

    where not items.is_metered

),

scaled as (

    -- price x quantity x months' share, as a whole number over a whole number: exact until rounded.
    select
        *,
        cast(cast(price as decimal(38, 8)) * 100000000 as hugeint)
        * cast(cast(quantity as decimal(38, 4)) * 10000 as hugeint)
        * case billing_interval when 'day' then 365 when 'week' then 52 else 1 end as numerator,
        cast(
            case billing_interval when 'month' then 1 else 12 end * interval_count as hugeint
        ) * 1000000000000 as denominator

    from overlapping

    where
        starts_at < {{ as_of() }}
        and (ends_at is null or ends_at > starts_at)
        and known_from < known_until

),

final as (

    select
        account_id,
        subscription_id,
        item_id,
        phase,
        plan,
        product,
        currency,
        starts_at,
        ends_at,
        is_cancelled,
        known_from,
        known_until,
        is_latest,
        cast(
            cast({{ half_even_quotient('numerator * 10000', 'denominator') }} as decimal(33, 0))
            * cast(0.0001 as decimal(5, 4)) as decimal(18, 4)
        ) as amount_original,
        cast(
            cast({{ half_even_quotient('numerator * 100', 'denominator') }} as decimal(33, 0))
            * cast(0.01 as decimal(3, 2)) as decimal(18, 2)
        ) as amount

    from scaled

    where currency = '{{ var("reporting_currency") }}'

)

select * from final
