-- Invariant 13: no mart holds a day or an instant at or after the as-of one.
select
    'fct_account_activity_daily' as mart,
    account_id,
    cast(day as varchar) as dated

from {{ ref('fct_account_activity_daily') }}

where day >= {{ as_of_day() }} or last_activity_at >= {{ as_of() }}

union all

select
    'account_metrics_daily' as mart,
    account_id,
    cast(day as varchar) as dated

from {{ ref('account_metrics_daily') }}

where day >= {{ as_of_day() }}

union all

select
    'fct_mrr_movements' as mart,
    account_id,
    cast(moved_at as varchar) as dated

from {{ ref('fct_mrr_movements') }}

where moved_at >= {{ as_of() }}

union all

select
    'dim_accounts' as mart,
    account_id,
    cast(created_at as varchar) as dated

from {{ ref('dim_accounts') }}

where created_at >= {{ as_of() }}

union all

select
    'fct_invoices' as mart,
    account_id,
    cast(created_at as varchar) as dated

from {{ ref('fct_invoices') }}

where created_at >= {{ as_of() }} or paid_at >= {{ as_of() }}

union all

select
    'fct_revenue_monthly' as mart,
    account_id,
    cast(month as varchar) as dated

from {{ ref('fct_revenue_monthly') }}

where month >= {{ as_of_day() }}
