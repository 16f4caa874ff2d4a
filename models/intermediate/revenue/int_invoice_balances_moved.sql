-- One row per invoice that was ever sent and happening that changes what is owed on it: invoiced,
-- credited, paid (a refund is paid negative), and at its end settled (the billing system calls it
-- paid, and no payment that landed says with what), written_off (uncollectible: from the day after
-- it was due) or voided. Everything stands at the rate of the invoice, so that what is paid in full
-- leaves nothing: the reporting amounts are differences of rounded balances. A payment before the
-- invoice, or in another currency, counts from the invoice on, or not here.

{{ config(materialized='table') }}

with

invoices as (

    select * from {{ ref('int_invoices_totalled') }}

    where status <> 'draft'

),

lines as (

    select * from {{ ref('int_invoice_lines_netted') }}

),

payments as (

    select * from {{ ref('int_payments_counted') }}

),

credit_notes as (

    select * from {{ ref('int_credit_notes_counted') }}

),

netted as (

    select
        invoice_id,
        sum(net_amount) as net_amount

    from lines

    group by invoice_id

),

happened as (

    select
        invoice_id,
        'invoiced' as movement,
        0 as place,
        invoice_id as moved_by_id,
        total_amount as amount_original,
        created_at as moved_at

    from invoices

    union all

    select
        invoices.invoice_id,
        'credited' as movement,
        1 as place,
        credit_notes.credit_note_id as moved_by_id,
        -credit_notes.amount_original as amount_original,
        greatest(credit_notes.issued_at, invoices.created_at) as moved_at

    from credit_notes

    inner join invoices
        on
            credit_notes.invoice_id = invoices.invoice_id
            and credit_notes.currency = invoices.currency

    union all

    select
        invoices.invoice_id,
        'paid' as movement,
        2 as place,
        payments.payment_id as moved_by_id,
        -payments.amount_original as amount_original,
        greatest(payments.paid_at, invoices.created_at) as moved_at

    from payments

    inner join invoices
        on
            payments.invoice_id = invoices.invoice_id
            and payments.currency = invoices.currency

),

left_over as (

    select
        invoice_id,
        cast(sum(amount_original) as decimal(18, 4)) as amount_original,
        max(moved_at) as last_moved_at

    from happened

    group by invoice_id

),

closed as (

    select
        invoices.invoice_id,
        case invoices.status
            when 'paid' then 'settled'
            when 'uncollectible' then 'written_off'
            else 'voided'
        end as movement,
        3 as place,
        invoices.invoice_id as moved_by_id,
        case
            when invoices.status = 'void' then -invoices.total_amount
            when invoices.status = 'paid' and invoices.total_amount < 0
                then greatest(-left_over.amount_original, 0)
            else least(-left_over.amount_original, 0)
        end as amount_original,
        greatest(
            case invoices.status
                when 'paid' then coalesce(invoices.paid_at, left_over.last_moved_at)
                when 'uncollectible'
                    then
                        least(
                            {{ first_instant('invoices.owed_until_on + 1') }},
                            {{ as_of() }} - interval 1 microsecond
                        )
                else coalesce(invoices.voided_at, invoices.created_at)
            end,
            invoices.created_at
        ) as moved_at

    from invoices

    inner join left_over on invoices.invoice_id = left_over.invoice_id

    where invoices.status in ('paid', 'uncollectible', 'void')

),

moved as (

    select * from happened

    union all

    select * from closed

    where amount_original <> 0

),

balanced as (

    select
        invoices.account_id,
        moved.invoice_id,
        moved.movement,
        moved.place,
        moved.moved_by_id,
        moved.amount_original,
        invoices.owed_until_on,
        moved.moved_at,
        sum(moved.amount_original) over (
            partition by moved.invoice_id
            order by moved.moved_at, moved.place, moved.moved_by_id
            rows unbounded preceding
        ) as balance_original,
        cast(
            sum(moved.amount_original) over (
                partition by moved.invoice_id
                order by moved.moved_at, moved.place, moved.moved_by_id
                rows unbounded preceding
            ) * 10000 as hugeint
        ) as balance_units,
        -- What a unit of the invoice is worth is its reporting total over its own, which holds to
        -- the cent; a total of 0 has only the rate.
        case
            when invoices.total_amount = 0
                then cast(cast(invoices.rate as decimal(38, 8)) * 100000000 as hugeint)
            else
                cast(
                    (
                        coalesce(netted.net_amount, 0)
                        + round_even(
                            cast(invoices.tax_amount as decimal(38, 4)) * invoices.rate, 2
                        )
                    ) * 100 as hugeint
                ) * cast(sign(invoices.total_amount) as hugeint)
        end as worth,
        case
            when invoices.total_amount = 0 then 10000000000
            else cast(abs(invoices.total_amount) * 10000 as hugeint)
        end as units

    from moved

    inner join invoices on moved.invoice_id = invoices.invoice_id

    left join netted on moved.invoice_id = netted.invoice_id

),

rounded as (

    select
        *,
        cast(
            cast(
                {{ half_even_quotient('balance_units * worth', 'units') }}
                as decimal(33, 0)
            ) * cast(0.01 as decimal(3, 2)) as decimal(18, 2)
        ) as balance

    from balanced

),

final as (

    select
        account_id,
        invoice_id,
        movement,
        moved_by_id,
        owed_until_on,
        cast(date_trunc('month', {{ local_day('moved_at') }}) as date) as month,
        cast(amount_original as decimal(18, 4)) as amount_original,
        cast(
            balance - lag(balance, 1, 0) over (
                partition by invoice_id order by moved_at, place, moved_by_id
            ) as decimal(18, 2)
        ) as amount,
        cast(balance_original as decimal(18, 4)) as balance_original,
        balance,
        row_number() over (
            partition by invoice_id order by moved_at desc, place desc, moved_by_id desc
        ) = 1 as is_last,
        moved_at

    from rounded

)

select * from final
