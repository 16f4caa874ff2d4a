-- Invariant 4, an input rule: what the lines leave of an invoice's total before tax stands as one
-- part more; the invoices are listed here, by what is missing.
-- Its result is kept with the mart that it speaks of. depends_on: {{ ref('fct_invoices') }}
{{ config(severity='warn') }}

select
    account_id,
    invoice_id,
    currency,
    kind as counted_as,
    net_original as amount_without_a_line

from {{ ref('int_invoice_lines_netted') }}

where is_residual and is_revenue
