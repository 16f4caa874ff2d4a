-- One row per invoice that was ever sent and happening that changes what is owed on it: invoiced,
-- credited, paid (a refund is paid negative), and at its end settled (the billing system calls it
-- paid, and no payment that landed says with what), written_off (uncollectible: from the day after
-- it was due) or voided. Everything stands at the rate of the invoice, so that what is paid in full
-- leaves nothing: the reporting amounts are differences of rounded balances. A payment before the
-- invoice, or in another currency, counts from the invoice on, or not here. The balance after it
-- holds until the invoice's next move, in next_month (NULL after the last one).

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
        net_amount

    from lines

    where is_only_part

    union all

    select
        invoice_id,
        cast(sum(net_amount) as decimal(18, 2)) as net_amount

    from lines

    where is_only_part is not true

    group by invoice_id

),

answers as (

    select
        invoice_id,
        'credited' as movement,
        1 as place,
        credit_note_id as moved_by_id,
        currency,
        -amount_original as amount_original,
        issued_at as moved_at

    from credit_notes

    union all

    select
        invoice_id,
        'paid' as movement,
        2 as place,
        payment_id as moved_by_id,
        currency,
        -amount_original as amount_original,
        paid_at as moved_at

    from payments

),

answered as (

    select
        invoice_id,
        currency,
        count(*) as answer_count,
        cast(sum(amount_original) as decimal(18, 4)) as amount_original,
        min(moved_at) as first_moved_at,
        max(moved_at) as last_moved_at

    from answers

    group by invoice_id, currency

),

weighed as (

    -- What a unit of the invoice is worth is its reporting total over its own, which holds to the
    -- cent; a total of 0 has only the rate.
    select
        invoices.*,
        coalesce(answered.answer_count, 0) as answer_count,
        invoices.total_amount + coalesce(answered.amount_original, 0) as left_over,
        case
            when answered.answer_count > 0
                then greatest(answered.first_moved_at, invoices.created_at)
        end as first_answered_at,
        greatest(answered.last_moved_at, invoices.created_at) as last_answered_at,
        case
            when invoices.total_amount = 0
                then {{ price_units('invoices.rate') }}
            else
                cast(
                    (
                        coalesce(netted.net_amount, 0)
                        + {{ amount_at_rate('invoices.tax_amount', 'invoices.rate') }}
                    ) * 100 as hugeint
                ) * cast(sign(invoices.total_amount) as hugeint)
        end as worth,
        case
            when invoices.total_amount = 0 then 10000000000
            else {{ amount_units('abs(invoices.total_amount)') }}
        end as units

    from invoices

    left join netted on invoices.invoice_id = netted.invoice_id

    left join answered
        on invoices.invoice_id = answered.invoice_id and invoices.currency = answered.currency

),

sent as (

    -- What is left over at its end, where the billing system says that nothing is owed any more.
    select
        *,
        case status
            when 'void' then -total_amount
            when 'paid' then if(total_amount < 0, greatest(-left_over, 0), least(-left_over, 0))
            when 'uncollectible' then least(-left_over, 0)
            else 0
        end as closing_amount,
        greatest(
            case status
                when 'paid' then coalesce(paid_at, last_answered_at)
                when 'uncollectible'
                    then
                        least(
                            {{ first_instant('owed_until_on + 1') }},
                            {{ as_of() }} - interval 1 microsecond
                        )
                else voided_at
            end,
            created_at
        ) as closed_at

    from weighed

),

moved as (

    select
        sent.account_id,
        sent.invoice_id,
        answers.movement,
        answers.place,
        answers.moved_by_id,
        sent.owed_until_on,
        sent.total_amount,
        answers.amount_original,
        sent.worth,
        sent.units,
        sent.answer_count + cast(sent.closing_amount <> 0 as integer) as move_count,
        greatest(answers.moved_at, sent.created_at) as moved_at

    from answers

    inner join sent
        on answers.invoice_id = sent.invoice_id and answers.currency = sent.currency

    union all

    select
        account_id,
        invoice_id,
        case status
            when 'paid' then 'settled'
            when 'uncollectible' then 'written_off'
            else 'voided'
        end as movement,
        3 as place,
        invoice_id as moved_by_id,
        owed_until_on,
        total_amount,
        closing_amount as amount_original,
        worth,
        units,
        answer_count + 1 as move_count,
        closed_at as moved_at

    from sent

    where closing_amount <> 0

),

balanced as (

    -- Most invoices are paid at once: their one move needs no order.
    select
        *,
        total_amount + amount_original as balance_original,
        cast(null as timestamp with time zone) as next_moved_at

    from moved

    where move_count = 1

    union all

    select
        *,
        total_amount + sum(amount_original) over (
            partition by invoice_id order by moved_at, place, moved_by_id rows unbounded preceding
        ) as balance_original,
        lead(moved_at) over (
            partition by invoice_id order by moved_at, place, moved_by_id
        ) as next_moved_at

    from moved

    where move_count > 1

),

rounded as (

    select
        *,
        {{ share_of_worth('balance_original', 'worth', 'units') }} as balance,
        {{ share_of_worth('(balance_original - amount_original)', 'worth', 'units') }}
            as balance_before

    from balanced

),

parts as (

    select
        account_id,
        invoice_id,
        'invoiced' as movement,
        invoice_id as moved_by_id,
        owed_until_on,
        total_amount as amount_original,
        0 as balance_before,
        {{ share_of_worth('total_amount', 'worth', 'units') }} as balance,
        created_at as moved_at,
        least(first_answered_at, if(closing_amount <> 0, closed_at, null)) as next_moved_at

    from sent

    union all by name

    select * exclude (place, total_amount, worth, units, move_count, balance_original) from rounded

),

final as (

    select
        account_id,
        invoice_id,
        movement,
        moved_by_id,
        owed_until_on,
        {{ local_month('moved_at') }} as month,
        {{ local_month('next_moved_at') }} as next_month,
        cast(amount_original as decimal(18, 4)) as amount_original,
        cast(balance - balance_before as decimal(18, 2)) as amount,
        cast(balance as decimal(18, 2)) as balance,
        moved_at

    from parts

)

select * from final
