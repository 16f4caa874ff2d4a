-- One row per epoch and item of a subscription at one price, policy and phase, for the time in
-- which item and phase overlap, with what it costs before discounts, as whole units of 10^-12 for
-- per_months months: an annual price is exact here, a twelfth of it is not. It is rounded where the
-- amounts are (spec 00, "Numbers").

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
        phases.* exclude (starts_at, ends_at, ends_by, is_term_end),  -- noqa: RF02
        items.item_id,
        items.product,
        items.billing_interval,
        items.interval_count,
        items.valid_from,
        greatest(phases.phase_since_at, items.valid_from) as period_anchor_at,
        greatest(phases.starts_at, items.valid_from) as starts_at,
        least(phases.ends_at, items.valid_to, items.deleted_at) as ends_at,
        phases.ends_at <= coalesce(least(items.valid_to, items.deleted_at), phases.ends_at)
            as is_phase_end,
        phases.ends_by,
        phases.is_term_end,
        case items.billing_interval when 'day' then 365 when 'week' then 52 else 1 end
            as factor_numerator,
        case items.billing_interval when 'month' then 1 else 12 end * items.interval_count
            as per_months,
        {{ price_units('items.price') }} * {{ amount_units('items.quantity') }} as price_picos

    from phases

    inner join items
        on
            phases.subscription_id = items.subscription_id
            and phases.rows_known_at >= items.known_from
            and phases.rows_known_at < items.known_until

    where not items.is_metered

),

final as (

    select
        * exclude (price_picos, is_phase_end, ends_by, is_term_end),
        case when is_phase_end then ends_by end as ends_by,
        is_phase_end and is_term_end as is_term_end,
        price_picos * factor_numerator as gross_picos,
        row_number() over () as stretch_id

    from overlapping

    where starts_at < {{ as_of() }} and (ends_at is null or ends_at > starts_at)

)

select * from final
