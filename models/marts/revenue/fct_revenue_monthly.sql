-- One row per account and local month: revenue by the creation of its invoices (drafts and voided
-- ones never, uncollectible ones always), credit notes by their period of service or else by their
-- issue, money by the day on which it moved, and invoice revenue by the day of payment, the literal
-- definition. From the account's creation, first subscription, invoice or payment on.

with

months as (

    select * from {{ ref('int_revenue_months') }}

),

lines as (

    select * from {{ ref('int_invoice_lines_netted') }}

),

credit_notes as (

    select * from {{ ref('int_credit_notes_spread') }}

),

payments as (

    select * from {{ ref('int_payments_counted') }}

),

invoices as (

    select * from {{ ref('fct_invoices') }}

),

invoiced as (

    select
        account_id,
        month,
        sum(net_amount) filter (where kind = 'recurring') as recurring_revenue,
        sum(net_amount) filter (where kind = 'one_time') as non_recurring_revenue,
        sum(net_amount) filter (where kind = 'usage') as usage_revenue,
        sum(net_amount) filter (where status = 'uncollectible') as bad_debt_revenue

    from lines

    where is_revenue

    group by account_id, month

),

credited as (

    select
        account_id,
        month,
        sum(amount) as credit_note_amount

    from credit_notes

    group by account_id, month

),

moved as (

    select
        account_id,
        month,
        sum(amount) filter (where amount_original >= 0) as payment_amount,
        sum(amount) filter (where amount_original < 0) as refund_amount

    from payments

    group by account_id, month

),

paid as (

    select
        account_id,
        {{ local_month('paid_at') }} as month,
        sum(net_amount) as invoice_revenue_by_paid_date

    from invoices

    where paid_at is not null

    group by all

),

joined as (

    select
        months.account_id,
        months.month,
        months.is_partial,
        coalesce(invoiced.recurring_revenue, 0) as recurring_revenue,
        coalesce(invoiced.non_recurring_revenue, 0) as non_recurring_revenue,
        coalesce(invoiced.usage_revenue, 0) as usage_revenue,
        coalesce(invoiced.bad_debt_revenue, 0) as bad_debt_revenue,
        coalesce(credited.credit_note_amount, 0) as credit_note_amount,
        coalesce(moved.payment_amount, 0) as payment_amount,
        coalesce(moved.refund_amount, 0) as refund_amount,
        coalesce(paid.invoice_revenue_by_paid_date, 0) as invoice_revenue_by_paid_date

    from months

    left join invoiced
        on months.account_id = invoiced.account_id and months.month = invoiced.month

    left join credited
        on months.account_id = credited.account_id and months.month = credited.month

    left join moved on months.account_id = moved.account_id and months.month = moved.month

    left join paid on months.account_id = paid.account_id and months.month = paid.month

),

final as (

    select
        account_id,
        month,
        cast(recurring_revenue as decimal(18, 2)) as recurring_revenue,
        cast(non_recurring_revenue as decimal(18, 2)) as non_recurring_revenue,
        cast(usage_revenue as decimal(18, 2)) as usage_revenue,
        cast(
            recurring_revenue + non_recurring_revenue + usage_revenue as decimal(18, 2)
        ) as invoiced_revenue,
        cast(bad_debt_revenue as decimal(18, 2)) as bad_debt_revenue,
        cast(credit_note_amount as decimal(18, 2)) as credit_note_amount,
        cast(
            recurring_revenue + non_recurring_revenue + usage_revenue - credit_note_amount
            as decimal(18, 2)
        ) as net_revenue,
        cast(payment_amount as decimal(18, 2)) as payment_amount,
        cast(refund_amount as decimal(18, 2)) as refund_amount,
        cast(payment_amount + refund_amount as decimal(18, 2)) as net_payment_amount,
        cast(invoice_revenue_by_paid_date as decimal(18, 2)) as invoice_revenue_by_paid_date,
        is_partial

    from joined

)

select * from final
