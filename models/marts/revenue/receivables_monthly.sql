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

moved_by_invoice as (

    select
        account_id,
        invoice_id,
        owed_until_on,
        month,
        sum(amount) as amount

    from moves

    group by all

),

ended as (

    -- What an invoice leaves at the end of a month holds until the month of its next move.
    select
        account_id,
        invoice_id,
        owed_until_on,
        month as from_month,
        lead(month) over (partition by invoice_id order by month) as to_month,
        sum(amount) over (
            partition by invoice_id order by month rows unbounded preceding
        ) as balance

    from moved_by_invoice

),

aged as (

    select
        months.account_id,
        months.month,
        ended.balance,
        least(cast(months.month + interval 1 month as date), {{ as_of_day() }})
        - ended.owed_until_on as overdue_days

    from months

    inner join ended
        on
            months.account_id = ended.account_id
            and months.month >= ended.from_month
            and (ended.to_month is null or months.month < ended.to_month)

    where ended.balance <> 0

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

allocated as (

    select distinct
        movement,
        moved_by_id

    from moves

    where movement in ('paid', 'credited')

),

unallocated as (

    select
        payments.account_id,
        payments.month,
        payments.amount as payment_amount,
        0 as credit_note_amount

    from payments

    left join allocated
        on payments.payment_id = allocated.moved_by_id and allocated.movement = 'paid'

    where allocated.moved_by_id is null

    union all

    select
        credit_notes.account_id,
        credit_notes.month,
        0 as payment_amount,
        credit_notes.amount as credit_note_amount

    from credit_notes

    left join allocated
        on
            credit_notes.credit_note_id = allocated.moved_by_id
            and allocated.movement = 'credited'

    where allocated.moved_by_id is null

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
        sum(coalesce(moved.net_amount, 0)) over running as closing_amount,
        coalesce(by_age.outstanding_amount, 0) as outstanding_amount,
        coalesce(by_age.credit_balance_amount, 0) as credit_balance_amount,
        coalesce(by_age.not_due_amount, 0) as not_due_amount,
        coalesce(by_age.overdue_1_30_amount, 0) as overdue_1_30_amount,
        coalesce(by_age.overdue_31_60_amount, 0) as overdue_31_60_amount,
        coalesce(by_age.overdue_61_90_amount, 0) as overdue_61_90_amount,
        coalesce(by_age.overdue_over_90_amount, 0) as overdue_over_90_amount,
        sum(coalesce(unallocated_monthly.payment_amount, 0)) over running
            as unallocated_payment_amount,
        sum(coalesce(unallocated_monthly.credit_note_amount, 0)) over running
            as unallocated_credit_amount

    from months

    left join moved on months.account_id = moved.account_id and months.month = moved.month

    left join by_age on months.account_id = by_age.account_id and months.month = by_age.month

    left join unallocated_monthly
        on
            months.account_id = unallocated_monthly.account_id
            and months.month = unallocated_monthly.month

    window running as (
        partition by months.account_id order by months.month rows unbounded preceding
    )

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
