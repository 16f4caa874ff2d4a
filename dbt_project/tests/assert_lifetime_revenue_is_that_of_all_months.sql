-- An account's lifetime revenue and payments are those of its months, and the months' invoiced
-- revenue is that of its invoices, as far as these were created before the as-of month's end.
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

invoices as (

    select
        account_id,
        sum(net_amount) as net_amount

    from {{ ref('fct_invoices') }}

    where is_revenue and month < {{ as_of_day() }}

    group by account_id

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

where
    account_revenue.lifetime_revenue_amount <> coalesce(months.net_revenue, 0)
    or account_revenue.lifetime_payments_amount <> coalesce(months.net_payment_amount, 0)
    or coalesce(months.invoiced_revenue, 0) <> coalesce(invoices.net_amount, 0)
