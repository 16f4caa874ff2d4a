-- One row per account and local month with usage-based revenue, by the creation of its invoices.

with

lines as (

    select * from {{ ref('int_invoice_lines_netted') }}

),

final as (

    select
        account_id,
        month,
        cast(sum(net_amount) as decimal(18, 2)) as usage_revenue

    from lines

    where is_revenue and kind = 'usage'

    group by account_id, month

)

select * from final
