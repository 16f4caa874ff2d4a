-- One row per account and local month: what was owed on sent invoices just before the month's first
-- instant, what was invoiced, paid, credited, settled, written off and voided in it, and what is
-- owed just before the next month's, or before the as-of instant where that is earlier. The closing
-- amount is what is outstanding, by age, less credit balances (invoices on which too much was
-- paid). Payments and credit notes of no sent invoice of their currency stand beside it,
-- unallocated.

with

months as (

    select * from {{ ref('int_revenue_months') }}

),

moves as (

    select * from {{ ref('int_invoice_balances_moved') }}

),

payments as (

    select * from {{ ref('int_payments_counted') }}

),

credit_notes as (

    select * from {{ ref('int_credit_notes_counted') }}

),

moved as (

    select
        account_id,
        month,
        sum(amount) filter (where movement = 'invoiced') as invoiced_amount,
        -sum(amount) filter (where movement = 'paid') as paid_amount,
        -sum(amount) filter (where movement = 'credited') as credited_amount,
        -sum(amount) filter (where movement = 'settled') as settled_amount,
        -sum(amount) filter (where movement = 'written_off') as written_off_amount,
        -sum(amount) filter (where movement = 'voided') as voided_amount,
        sum(amount) as net_amount

    from moves

    group by account_id, month

),

left_owed as (

    -- What an invoice leaves at the end of a month holds until the month of its next move.
    select
        account_id,
        balance,
        owed_until_on,
        cast(
            unnest(
                range(
                    month,
                    coalesce(
                        next_month, date_trunc('month', {{ as_of_day() }} - 1) + interval 1 month
                    ),
                    interval 1 month
                )
            ) as date
        ) as month

    from moves

    where balance <> 0

),

aged as (

    select
        account_id,
        month,
        balance,
        least(cast(month + interval 1 month as date), {{ as_of_day() }}) - owed_until_on
            as overdue_days

    from left_owed

),

by_age as (

    select
        account_id,
        month,
        sum(balance) filter (where balance > 0) as outstanding_amount,
        -sum(balance) filter (where balance < 0) as credit_balance_amount,
        sum(balance) filter (where balance > 0 and overdue_days <= 0) as not_due_amount,
        sum(balance) filter (where balance > 0 and overdue_days between 1 and 30)
            as overdue_1_30_amount,
        sum(balance) filter (where balance > 0 and overdue_days between 31 and 60)
            as overdue_31_60_amount,
        sum(balance) filter (where balance > 0 and overdue_days between 61 and 90)
            as overdue_61_90_amount,
        sum(balance) filter (where balance > 0 and overdue_days > 90) as overdue_over_90_amount

    from aged

    group by account_id, month

),

unallocated as (

    select
        payments.account_id,
        payments.month,
        payments.amount as payment_amount,
        0 as credit_note_amount

    from payments

    anti join moves on payments.payment_id = moves.moved_by_id and moves.movement = 'paid'

    union all

    select
        credit_notes.account_id,
        credit_notes.month,
        0 as payment_amount,
        credit_notes.amount as credit_note_amount

    from credit_notes

    anti join moves
        on credit_notes.credit_note_id = moves.moved_by_id and moves.movement = 'credited'

),

unallocated_monthly as (

    select
        account_id,
        month,
        sum(payment_amount) as payment_amount,
        sum(credit_note_amount) as credit_note_amount

    from unallocated

    group by account_id, month

),

unallocated_so_far as (

    select
        account_id,
        sum(payment_amount) over so_far as payment_amount,
        sum(credit_note_amount) over so_far as credit_note_amount,
        cast(
            unnest(
                range(
                    month,
                    coalesce(
                        lead(month) over (partition by account_id order by month),
                        date_trunc('month', {{ as_of_day() }} - 1) + interval 1 month
                    ),
                    interval 1 month
                )
            ) as date
        ) as month

    from unallocated_monthly

    window
        so_far as (partition by account_id order by month rows unbounded preceding)

),

joined as (

    select
        months.account_id,
        months.month,
        months.is_partial,
        coalesce(moved.invoiced_amount, 0) as invoiced_amount,
        coalesce(moved.paid_amount, 0) as paid_amount,
        coalesce(moved.credited_amount, 0) as credited_amount,
        coalesce(moved.settled_amount, 0) as settled_amount,
        coalesce(moved.written_off_amount, 0) as written_off_amount,
        coalesce(moved.voided_amount, 0) as voided_amount,
        coalesce(moved.net_amount, 0) as net_amount,
        coalesce(by_age.outstanding_amount, 0) - coalesce(by_age.credit_balance_amount, 0)
            as closing_amount,
        coalesce(by_age.outstanding_amount, 0) as outstanding_amount,
        coalesce(by_age.credit_balance_amount, 0) as credit_balance_amount,
        coalesce(by_age.not_due_amount, 0) as not_due_amount,
        coalesce(by_age.overdue_1_30_amount, 0) as overdue_1_30_amount,
        coalesce(by_age.overdue_31_60_amount, 0) as overdue_31_60_amount,
        coalesce(by_age.overdue_61_90_amount, 0) as overdue_61_90_amount,
        coalesce(by_age.overdue_over_90_amount, 0) as overdue_over_90_amount,
        coalesce(unallocated_so_far.payment_amount, 0) as unallocated_payment_amount,
        coalesce(unallocated_so_far.credit_note_amount, 0) as unallocated_credit_amount

    from months

    left join moved on months.account_id = moved.account_id and months.month = moved.month

    left join by_age on months.account_id = by_age.account_id and months.month = by_age.month

    left join unallocated_so_far
        on
            months.account_id = unallocated_so_far.account_id
            and months.month = unallocated_so_far.month

),

final as (

    select
        account_id,
        month,
        cast(closing_amount - net_amount as decimal(18, 2)) as opening_amount,
        cast(invoiced_amount as decimal(18, 2)) as invoiced_amount,
        cast(paid_amount as decimal(18, 2)) as paid_amount,
        cast(credited_amount as decimal(18, 2)) as credited_amount,
        cast(settled_amount as decimal(18, 2)) as settled_amount,
        cast(written_off_amount as decimal(18, 2)) as written_off_amount,
        cast(voided_amount as decimal(18, 2)) as voided_amount,
        cast(closing_amount as decimal(18, 2)) as closing_amount,
        cast(outstanding_amount as decimal(18, 2)) as outstanding_amount,
        cast(credit_balance_amount as decimal(18, 2)) as credit_balance_amount,
        cast(not_due_amount as decimal(18, 2)) as not_due_amount,
        cast(overdue_1_30_amount as decimal(18, 2)) as overdue_1_30_amount,
        cast(overdue_31_60_amount as decimal(18, 2)) as overdue_31_60_amount,
        cast(overdue_61_90_amount as decimal(18, 2)) as overdue_61_90_amount,
        cast(overdue_over_90_amount as decimal(18, 2)) as overdue_over_90_amount,
        cast(unallocated_payment_amount as decimal(18, 2)) as unallocated_payment_amount,
        cast(unallocated_credit_amount as decimal(18, 2)) as unallocated_credit_amount,
        is_partial

    from joined

)

select * from final
