-- One row per invoice, latest known, of an account that is no test, in a currency that has a rate
-- in the month of its creation: its total before tax and after discounts, what its lines sum to,
-- and how much of its discount they don't have in them yet. An invoice without a rate is set aside;
-- assert_every_invoice_has_a_rate counts those.

{{ config(materialized='table') }}

with

invoices as (

    select * from {{ ref('int_invoices_linked') }}

),

lines as (

    select * from {{ ref('stg_invoices__invoice_lines') }}

),

accounts as (

    select * from {{ ref('int_accounts_dated') }}

),

rates as (

    select * from {{ ref('int_fx_rates_monthly') }}

),

summed as (

    select
        invoice_id,
        count(*) as line_count,
        cast(sum(amount) as decimal(18, 4)) as lines_amount

    from lines

    where is_latest and (deleted_at is null or deleted_at >= {{ as_of() }})

    group by invoice_id

),

dated as (

    select
        invoices.*,
        {{ local_day('invoices.created_at') }} as created_on,
        {{ local_month('invoices.created_at') }} as month,
        coalesce(
            invoices.due_on,
            {{ local_day('coalesce(invoices.issued_at, invoices.created_at)') }} + 30
        ) as owed_until_on

    from invoices

    inner join accounts
        on
            invoices.account_id = accounts.account_id
            and not accounts.is_test
            and not accounts.is_lead

    where
        invoices.is_latest
        and (invoices.deleted_at is null or invoices.deleted_at >= {{ as_of() }})

),

totalled as (

    -- As billing states it, else as its parts do, else as the lines do.
    select
        dated.*,
        coalesce(summed.line_count, 0) as line_count,
        coalesce(summed.lines_amount, 0) as lines_amount,
        coalesce(dated.discount_amount, 0) as discount,
        coalesce(dated.tax_amount, 0) as tax,
        coalesce(
            dated.total_amount - coalesce(dated.tax_amount, 0),
            dated.subtotal_amount - coalesce(dated.discount_amount, 0),
            summed.lines_amount - coalesce(dated.discount_amount, 0),
            0
        ) as net_amount,
        {{ reporting_rate('dated.currency', 'rates.rate') }} as rate

    from dated

    left join summed on dated.invoice_id = summed.invoice_id

    left join rates on dated.currency = rates.currency and dated.month = rates.month

),

final as (

    select
        account_id,
        invoice_id,
        subscription_id,
        number,
        status,
        status_word,
        currency,
        month,
        created_on,
        due_on,
        owed_until_on,
        line_count,
        cast(rate as decimal(18, 8)) as rate,
        cast(lines_amount as decimal(18, 4)) as lines_amount,
        cast(discount as decimal(18, 4)) as discount_amount,
        -- Lines that sum to the total have the discount in them; nothing is shared by nothing.
        cast(
            case
                when lines_amount = net_amount or lines_amount = 0 then 0
                else discount
            end as decimal(18, 4)
        ) as discount_to_share,
        cast(tax as decimal(18, 4)) as tax_amount,
        cast(net_amount as decimal(18, 4)) as net_amount,
        cast(net_amount + tax as decimal(18, 4)) as total_amount,
        created_at,
        issued_at,
        paid_at,
        voided_at

    from totalled

    where rate is not null

)

select * from final
