-- A subscription without items has no MRR, whatever it costs: it is counted here, not guessed.
-- Its result is kept with the mart that it speaks of. depends_on: {{ ref('fct_mrr_monthly') }}
{{ config(severity='warn') }}

with

items as (

    select distinct subscription_id from {{ ref('stg_invoices__subscription_items') }}

)

select
    phases.account_id,
    phases.subscription_id

from {{ ref('int_subscription_phases') }} as phases

left join items on phases.subscription_id = items.subscription_id

where
    phases.is_latest
    and phases.policy = 'standard'
    and phases.phase = 'paid'
    and items.subscription_id is null
