-- Opening + invoiced - paid - credited - settled - written off - voided = closing, which is what is
-- outstanding less credit balances and where the next month opens; the ages sum to what is
-- outstanding.
with

chained as (

    select
        *,
        lag(closing_amount, 1, 0) over (partition by account_id order by month) as closing_before

    from {{ ref('receivables_monthly') }}

)

select *

from chained

where
    opening_amount <> closing_before
    or opening_amount + invoiced_amount - paid_amount - credited_amount - settled_amount
    - written_off_amount - voided_amount <> closing_amount
    or outstanding_amount - credit_balance_amount <> closing_amount
    or not_due_amount + overdue_1_30_amount + overdue_31_60_amount + overdue_61_90_amount
    + overdue_over_90_amount <> outstanding_amount
