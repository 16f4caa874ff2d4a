-- Invoices whose status says something else than the payments that landed, by account and kind of
-- disagreement. Where payments never landed every paid invoice is one, and nothing is said.
{{ config(severity='warn') }}

with

invoices as (

    select * from {{ ref('fct_invoices') }}

),

landed as (

    select count(*) as payment_count from {{ ref('int_payments_linked') }}

)

select
    invoices.account_id,
    invoices.status,
    invoices.payment_match,
    count(*) as invoice_count,
    sum(invoices.total_amount) as total_amount,
    sum(invoices.paid_amount) as paid_amount,
    min(invoices.invoice_id) as example_invoice_id

from invoices

cross join landed

where not invoices.has_matching_payments and landed.payment_count > 0

group by invoices.account_id, invoices.status, invoices.payment_match
