-- An account's lifetime revenue and payments are those of its months and of what comes after them:
-- the months of service that a credit note takes back later on, and what is dated on the as-of day.
-- The months' invoiced revenue is that of its invoices, as far as these were created in them.
with

months as (

    select
        account_id,
        sum(net_revenue) as net_revenue,
        sum(invoiced_revenue) as invoiced_revenue,
        sum(net_payment_amount) as net_payment_amount

    from {{ ref('fct_revenue_monthly') }}

    group by account_id

),

bounds as (

    select cast(date_trunc('month', {{ as_of_day() }} - 1) as date) as last_month

),

invoices as (

    select
        invoices.account_id,
        sum(invoices.net_amount) filter (where invoices.month <= bounds.last_month) as net_amount,
        sum(invoices.net_amount) filter (where invoices.month > bounds.last_month) as later_amount

    from {{ ref('fct_invoices') }} as invoices

    cross join bounds

    where invoices.is_revenue

    group by invoices.account_id

),

credit_notes as (

    select
        credit_notes.account_id,
        sum(credit_notes.amount) as later_amount

    from {{ ref('int_credit_notes_spread') }} as credit_notes

    inner join bounds on credit_notes.month > bounds.last_month

    group by credit_notes.account_id

),

payments as (

    select
        payments.account_id,
        sum(payments.amount) as later_amount

    from {{ ref('int_payments_counted') }} as payments

    inner join bounds on payments.month > bounds.last_month

    group by payments.account_id

)

select
    account_revenue.account_id,
    account_revenue.lifetime_revenue_amount,
    months.net_revenue,
    account_revenue.lifetime_payments_amount,
    months.net_payment_amount,
    months.invoiced_revenue,
    invoices.net_amount

from {{ ref('account_revenue') }} as account_revenue

left join months on account_revenue.account_id = months.account_id

left join invoices on account_revenue.account_id = invoices.account_id

left join credit_notes on account_revenue.account_id = credit_notes.account_id

left join payments on account_revenue.account_id = payments.account_id

where
    account_revenue.lifetime_revenue_amount
    <> coalesce(months.net_revenue, 0) + coalesce(invoices.later_amount, 0)
    - coalesce(credit_notes.later_amount, 0)
    or account_revenue.lifetime_payments_amount
    <> coalesce(months.net_payment_amount, 0) + coalesce(payments.later_amount, 0)
    or coalesce(months.invoiced_revenue, 0) <> coalesce(invoices.net_amount, 0)
