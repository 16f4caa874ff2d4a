-- The six parts sum to invoiced recurring revenue less MRR, to the cent, for each account and
-- month.
select *

from {{ ref('mrr_reconciliation_monthly') }}

where
    difference_amount <> recurring_revenue - ending_mrr
    or proration_amount
    + discount_amount
    + unpaid_amount
    + timing_amount
    + day_count_amount
    + unexplained_amount
    <> difference_amount
