-- Invariant 9: every account day with metrics has exactly one profile and one state, and no other
-- has. A lead is not judged.
with

leads as (

    select
        account_id,
        {{ known_day('known_from') }} as first_day,
        {{ known_day('known_until') }} - 1 as last_day

    from {{ ref('int_companies_known') }}

    where is_lead

)

select
    metrics.account_id as metrics_account_id,
    metrics.day as metrics_day,
    health.account_id as health_account_id,
    health.day as health_day

from {{ ref('account_metrics_daily') }} as metrics

full outer join {{ ref('fct_account_health_daily') }} as health
    on metrics.account_id = health.account_id and metrics.day = health.day

left join leads
    on
        metrics.account_id = leads.account_id
        and metrics.day between leads.first_day and leads.last_day

where
    metrics.account_id is null
    or (health.account_id is null) = (leads.account_id is null)
