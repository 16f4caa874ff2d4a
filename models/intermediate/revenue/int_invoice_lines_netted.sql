-- One row per line of an invoice, and one for what an invoice's lines leave of its total
-- (is_residual, without a line_id): before tax, after its part of the invoice's discount, which is
-- shared by amount, half-even to 4 decimals, the remainder to the greatest line_id. The rows of an
-- invoice sum to its total before tax and after discounts (invariant 4); most have one row
-- (is_only_part). Money is rounded here, once, half-even: every coarser revenue is a sum of these.

{{ config(materialized='table') }}

with

invoices as (

    select * from {{ ref('int_invoices_totalled') }}

),

landed_lines as (

    select * from {{ ref('stg_invoices__invoice_lines') }}

),

lines as (

    select
        landed_lines.line_id,
        landed_lines.invoice_id,
        coalesce(landed_lines.subscription_id, invoices.subscription_id) as subscription_id,
        landed_lines.kind,
        landed_lines.amount,
        landed_lines.period_start_at,
        landed_lines.period_end_at,
        invoices.account_id,
        invoices.status,
        invoices.currency,
        invoices.month,
        invoices.rate,
        invoices.lines_amount,
        invoices.discount_to_share,
        invoices.line_count = 1
        and invoices.net_amount = invoices.lines_amount - invoices.discount_to_share
            as is_only_part

    from landed_lines

    inner join invoices on landed_lines.invoice_id = invoices.invoice_id

    where
        landed_lines.is_latest
        and (landed_lines.deleted_at is null or landed_lines.deleted_at >= {{ as_of() }})

),

numbered as (

    -- Few invoices have something to share: only their lines are put in order.
    select
        *,
        -- Whole numbers of 0.0001, exact until rounded: discount x amount over the lines' sum.
        {{ amount_units('discount_to_share') }} * {{ amount_units('amount') }}
        * cast(sign(lines_amount) as hugeint) as numerator,
        greatest({{ amount_units('abs(lines_amount)') }}, 1) as denominator,
        row_number() over (partition by invoice_id order by line_id desc) as place_from_end

    from lines

    where discount_to_share <> 0

),

rounded as (

    select
        *,
        cast(
            cast({{ half_even_quotient('numerator', 'denominator') }} as decimal(33, 0))
            * cast(0.0001 as decimal(5, 4)) as decimal(18, 4)
        ) as rounded_discount

    from numbered

),

parts as (

    select
        * exclude (numerator, denominator, place_from_end, rounded_discount),
        false as is_residual,
        case
            when place_from_end = 1
                then
                    discount_to_share + rounded_discount
                    - sum(rounded_discount) over (partition by invoice_id)
            else rounded_discount
        end as discount_original

    from rounded

    union all by name

    select
        *,
        false as is_residual,
        0 as discount_original

    from lines

    where discount_to_share = 0

    union all by name

    -- What the lines sum to, less what is shared over them.
    select
        account_id,
        invoice_id,
        subscription_id,
        case when subscription_id is null then 'one_time' else 'recurring' end as kind,
        status,
        currency,
        month,
        rate,
        net_amount - (lines_amount - discount_to_share) as amount,
        line_count = 0 as is_only_part,
        true as is_residual,
        0 as discount_original

    from invoices

    where net_amount <> lines_amount - discount_to_share

),

final as (

    select
        account_id,
        invoice_id,
        line_id,
        subscription_id,
        status,
        kind,
        currency,
        month,
        cast(discount_original as decimal(18, 4)) as discount_original,
        cast(amount - discount_original as decimal(18, 4)) as net_original,
        {{ amount_at_rate('discount_original', 'rate') }} as discount_amount,
        {{ amount_at_rate('(amount - discount_original)', 'rate') }} as net_amount,
        is_residual,
        is_only_part,
        status in ('open', 'paid', 'uncollectible') as is_revenue,
        period_start_at,
        period_end_at

    from parts

)

select * from final
