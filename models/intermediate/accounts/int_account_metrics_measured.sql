-- One row per account per local day that no release has shown yet: the metrics as known at the
-- day's end. A metric of a source that had not landed by then is NULL, undefined, and not zero.

{{ config(materialized='table') }}

with

account_days as (

    select * from {{ ref('int_account_days_due') }}

),

metric_spans as (

    select * from {{ ref('int_metric_spans') }}

),

due as (

    select * from {{ ref('int_accounts_due') }}

),

active_days as (

    select * from {{ ref('int_active_days') }}

),

watermarks as (

    select * from {{ ref('int_source_watermarks_daily') }}

),

accounts as (

    select * from {{ ref('int_accounts_dated') }}

),

account_versions as (

    select
        account_id,
        status,
        is_lead,
        {{ known_day('known_from') }} as first_day,
        {{ known_day('known_until') }} - 1 as last_day

    from {{ ref('int_companies_known') }}

),

recorded as (

    select * from {{ ref('stg_history__account_metrics_daily') }}

),

crm_statuses as (

    select * from {{ ref('account_statuses') }}

),

deltas as (

    select
        account_id,
        metric,
        first_day as day,
        value
    from metric_spans
    union all
    select
        account_id,
        metric,
        last_day + 1 as day,
        -value as value
    from metric_spans

),

deltas_by_day as (

    -- A span that began before the account's first day that is due counts from that day on.
    select
        deltas.account_id,
        greatest(deltas.day, accounts.first_day, due.due_from) as day,
        sum(deltas.value) filter (where deltas.metric = 'mrr') as mrr,
        sum(deltas.value) filter (where deltas.metric = 'paid_phases') as paid_phases,
        sum(deltas.value) filter (where deltas.metric = 'past_due_phases') as past_due_phases,
        sum(deltas.value) filter (where deltas.metric = 'trial_phases') as trial_phases,
        sum(deltas.value) filter (
            where deltas.metric = 'paid_phases_so_far'
        ) as paid_phases_so_far,
        sum(deltas.value) filter (
            where deltas.metric = 'registered_users_30d'
        ) as registered_users_30d,
        sum(deltas.value) filter (where deltas.metric = 'mau') as mau,
        sum(deltas.value) filter (where deltas.metric = 'active_days_30d') as active_days_30d,
        sum(deltas.value) filter (where deltas.metric = 'use_count_30d') as use_count_30d,
        sum(deltas.value) filter (
            where deltas.metric = 'use_count_prior_30d'
        ) as use_count_prior_30d,
        sum(deltas.value) filter (where deltas.metric = 'modules_used_30d') as modules_used_30d,
        sum(deltas.value) filter (where deltas.metric = 'open_tickets') as open_tickets,
        sum(deltas.value) filter (
            where deltas.metric = 'urgent_open_tickets'
        ) as urgent_open_tickets

    from deltas

    inner join accounts on deltas.account_id = accounts.account_id

    inner join due on deltas.account_id = due.account_id

    group by all

),

last_activity as (

    select
        active_days.account_id,
        greatest(active_days.first_day, accounts.first_day, due.due_from) as day,
        max(active_days.day) as last_active_day

    from active_days

    inner join accounts on active_days.account_id = accounts.account_id

    inner join due on active_days.account_id = due.account_id

    group by all

),

running as (

    select
        account_days.account_id,
        account_days.day,
        account_days.known_day,
        sum(coalesce(deltas_by_day.mrr, 0)) over account_so_far as mrr,
        sum(coalesce(deltas_by_day.paid_phases, 0)) over account_so_far as paid_phases,
        sum(coalesce(deltas_by_day.past_due_phases, 0)) over account_so_far as past_due_phases,
        sum(coalesce(deltas_by_day.trial_phases, 0)) over account_so_far as trial_phases,
        sum(coalesce(deltas_by_day.paid_phases_so_far, 0))
            over account_so_far as paid_phases_so_far,
        sum(coalesce(deltas_by_day.registered_users_30d, 0))
            over account_so_far as registered_users_30d,
        sum(coalesce(deltas_by_day.mau, 0)) over account_so_far as mau,
        sum(coalesce(deltas_by_day.active_days_30d, 0)) over account_so_far as active_days_30d,
        sum(coalesce(deltas_by_day.use_count_30d, 0)) over account_so_far as use_count_30d,
        sum(coalesce(deltas_by_day.use_count_prior_30d, 0))
            over account_so_far as use_count_prior_30d,
        sum(coalesce(deltas_by_day.modules_used_30d, 0)) over account_so_far as modules_used_30d,
        sum(coalesce(deltas_by_day.open_tickets, 0)) over account_so_far as open_tickets,
        sum(coalesce(deltas_by_day.urgent_open_tickets, 0))
            over account_so_far as urgent_open_tickets,
        max(last_activity.last_active_day) over account_so_far as last_active_day

    from account_days

    left join deltas_by_day
        on
            account_days.account_id = deltas_by_day.account_id
            and account_days.day = deltas_by_day.day

    left join last_activity
        on
            account_days.account_id = last_activity.account_id
            and account_days.day = last_activity.day

    window
        account_so_far as (
            partition by account_days.account_id
            order by account_days.day
            rows unbounded preceding
        )

),

landed as (

    select
        day,
        bool_or(source_name = 'events') as has_events,
        bool_or(source_name = 'invoices') as has_invoices,
        bool_or(source_name = 'tickets') as has_tickets

    from watermarks

    group by day

),

shown as (

    select coalesce(max(day), cast('1900-01-01' as date)) as last_day from recorded

),

unshown as (

    select
        running.*,
        coalesce(landed.has_events, false) as has_events,
        coalesce(landed.has_invoices, false) as has_invoices,
        coalesce(landed.has_tickets, false) as has_tickets

    from running

    inner join shown on running.day > shown.last_day

    left join landed on running.day = landed.day

    where running.day >= running.known_day

),

final as (

    select
        unshown.account_id,
        unshown.day,
        case
            when account_versions.is_lead then 'lead'
            when unshown.past_due_phases > 0 then 'past_due'
            when unshown.paid_phases > 0 then 'customer'
            when unshown.trial_phases > 0 then 'trial'
            when unshown.paid_phases_so_far > 0 then 'churned'
            else coalesce(crm_statuses.account_status, 'lead')
        end as account_status,
        case when unshown.has_invoices then unshown.mrr end as mrr,
        case when unshown.has_events then unshown.registered_users_30d end as registered_users_30d,
        case when unshown.has_events then unshown.mau end as mau,
        case when unshown.has_events then unshown.active_days_30d end as active_days_30d,
        case when unshown.has_events then unshown.use_count_30d end as use_count_30d,
        case when unshown.has_events then unshown.use_count_prior_30d end as use_count_prior_30d,
        case when unshown.has_events then unshown.modules_used_30d end as modules_used_30d,
        case when unshown.has_events then unshown.day - unshown.last_active_day end
            as days_since_last_activity,
        case when unshown.has_tickets then unshown.open_tickets end as open_tickets,
        case when unshown.has_tickets then unshown.urgent_open_tickets end as urgent_open_tickets

    from unshown

    left join account_versions
        on
            unshown.account_id = account_versions.account_id
            and unshown.day between account_versions.first_day and account_versions.last_day

    left join crm_statuses on lower(account_versions.status) = crm_statuses.crm_status

)

select * from final
