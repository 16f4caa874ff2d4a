-- One row per line of an invoice, and one for what an invoice's lines leave of its total
-- (is_residual, without a line_id): before tax, after its part of the invoice's discount, which is
-- shared by amount, half-even to 4 decimals, the remainder to the greatest line_id. The rows of an
-- invoice sum to its total before tax and after discounts (invariant 4). Money is rounded here,
-- once, half-even: every coarser revenue is a sum of these.

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
        landed_lines.item_id,
        landed_lines.kind,
        landed_lines.is_proration,
        landed_lines.amount,
        landed_lines.period_start_at,
        landed_lines.period_end_at,
        invoices.discount_to_share,
        -- Whole numbers of 0.0001, exact until rounded: discount x amount over the lines' sum.
        cast(invoices.discount_to_share * 10000 as hugeint)
        * cast(landed_lines.amount * 10000 as hugeint)
        * cast(sign(invoices.lines_amount) as hugeint) as numerator,
        greatest(cast(abs(invoices.lines_amount) * 10000 as hugeint), 1) as denominator,
        row_number() over (
            partition by landed_lines.invoice_id order by landed_lines.line_id desc
        ) as place_from_end

    from landed_lines

    inner join invoices on landed_lines.invoice_id = invoices.invoice_id

    where
        landed_lines.is_latest
        and (landed_lines.deleted_at is null or landed_lines.deleted_at >= {{ as_of() }})

),

rounded as (

    select
        *,
        cast(
            cast({{ half_even_quotient('numerator', 'denominator') }} as decimal(33, 0))
            * cast(0.0001 as decimal(5, 4)) as decimal(18, 4)
        ) as rounded_discount

    from lines

),

shared as (

    select
        *,
        case
            when place_from_end = 1
                then
                    discount_to_share + rounded_discount
                    - sum(rounded_discount) over (partition by invoice_id)
            else rounded_discount
        end as discount_amount

    from rounded

),

explained as (

    select
        invoice_id,
        sum(amount - discount_amount) as amount

    from shared

    group by invoice_id

),

parts as (

    select
        invoice_id,
        line_id,
        subscription_id,
        item_id,
        kind,
        is_proration,
        false as is_residual,
        amount,
        discount_amount,
        period_start_at,
        period_end_at

    from shared

    union all

    select
        invoices.invoice_id,
        null as line_id,
        invoices.subscription_id,
        null as item_id,
        case when invoices.subscription_id is null then 'one_time' else 'recurring' end as kind,
        false as is_proration,
        true as is_residual,
        invoices.net_amount - coalesce(explained.amount, 0) as amount,
        0 as discount_amount,
        null as period_start_at,
        null as period_end_at

    from invoices

    left join explained on invoices.invoice_id = explained.invoice_id

    where invoices.net_amount <> coalesce(explained.amount, 0)

),

final as (

    select
        invoices.account_id,
        parts.invoice_id,
        parts.line_id,
        parts.subscription_id,
        parts.item_id,
        invoices.status,
        parts.kind,
        invoices.currency,
        invoices.month,
        cast(parts.discount_amount as decimal(18, 4)) as discount_original,
        cast(parts.amount - parts.discount_amount as decimal(18, 4)) as net_original,
        cast(
            round_even(cast(parts.discount_amount as decimal(38, 4)) * invoices.rate, 2)
            as decimal(18, 2)
        ) as discount_amount,
        cast(
            round_even(
                cast(parts.amount - parts.discount_amount as decimal(38, 4)) * invoices.rate, 2
            ) as decimal(18, 2)
        ) as net_amount,
        parts.is_proration,
        parts.is_residual,
        invoices.status in ('open', 'paid', 'uncollectible') as is_revenue,
        invoices.created_at,
        parts.period_start_at,
        parts.period_end_at

    from parts

    inner join invoices on parts.invoice_id = invoices.invoice_id

)

select * from final
