-- One row per thing that happened to an account before the as-of instant, in one stream: e-mails,
-- calls, meetings, notes, check-ins, trainings, tickets, NPS answers, invoices, alerts, changes of
-- what is paid and of health. An e-mail that two sources tell of is one. Alerts of an account that
-- was merged since stand under who it became; its health was another account's and is not told.

with

accounts as (

    select * from {{ ref('dim_accounts') }}

    where not is_test

),

interactions as (

    select * from {{ ref('fct_interactions') }}

),

tickets as (

    select * from {{ ref('fct_tickets') }}

    where left_out_as is null

),

ticket_stretches as (

    select * from {{ ref('int_tickets_dated') }}

    where is_opening

),

nps_responses as (

    select * from {{ ref('fct_nps_responses') }}

),

invoices as (

    select * from {{ ref('fct_invoices') }}

),

mrr_movements as (

    select * from {{ ref('fct_mrr_movements') }}

    where policy = 'standard' and movement <> 'fx'

),

alert_events as (

    select * from {{ ref('fct_alert_events') }}

),

owners as (

    select * from {{ ref('int_account_owners') }}

    where is_latest

),

health as (

    select * from {{ ref('fct_health_changes') }}

    where state <> state_before

),

openings as (

    select
        tickets.account_id,
        tickets.ticket_id,
        tickets.subject,
        ticket_stretches.starts_at,
        ticket_stretches.open_until,
        row_number() over (partition by tickets.ticket_id order by ticket_stretches.starts_at)
            as opening_number

    from tickets

    inner join ticket_stretches on tickets.ticket_id = ticket_stretches.ticket_id

),

entries as (

    select
        account_id,
        interaction_type as category,
        sub_type,
        subject,
        cast(null as varchar) as said,
        interaction_id as source_id,
        'interaction|' || interaction_id as entry_id,
        occurred_at

    from interactions

    union all

    select
        account_id,
        'ticket' as category,
        case when opening_number = 1 then 'opened' else 'reopened' end as sub_type,
        subject,
        null as said,
        ticket_id as source_id,
        concat_ws('|', 'ticket', ticket_id, 'opened', opening_number) as entry_id,
        starts_at as occurred_at

    from openings

    union all

    select
        account_id,
        'ticket' as category,
        'solved' as sub_type,
        subject,
        null as said,
        ticket_id as source_id,
        concat_ws('|', 'ticket', ticket_id, 'solved', opening_number) as entry_id,
        open_until as occurred_at

    from openings

    union all

    select
        account_id,
        'nps' as category,
        class as sub_type,
        null as subject,
        'score ' || score as said,
        response_id as source_id,
        'nps|' || response_id as entry_id,
        submitted_at as occurred_at

    from nps_responses

    union all

    select
        account_id,
        'invoice' as category,
        'issued' as sub_type,
        null as subject,
        concat_ws(' ', number, total_amount_original, currency) as said,
        invoice_id as source_id,
        concat_ws('|', 'invoice', invoice_id, 'issued') as entry_id,
        issued_at as occurred_at

    from invoices

    union all

    select
        account_id,
        'invoice' as category,
        'paid' as sub_type,
        null as subject,
        concat_ws(' ', number, paid_amount_original, currency) as said,
        invoice_id as source_id,
        concat_ws('|', 'invoice', invoice_id, 'paid') as entry_id,
        paid_at as occurred_at

    from invoices

    union all

    select
        account_id,
        'invoice' as category,
        'voided' as sub_type,
        null as subject,
        concat_ws(' ', number, total_amount_original, currency) as said,
        invoice_id as source_id,
        concat_ws('|', 'invoice', invoice_id, 'voided') as entry_id,
        voided_at as occurred_at

    from invoices

    union all

    select
        account_id,
        'plan' as category,
        movement as sub_type,
        null as subject,
        case when is_plan_change then concat_ws(' to ', plan_before, plan_after) || ': ' else '' end
        || 'MRR ' || mrr_before || ' to ' || mrr_after as said,
        subscription_id as source_id,
        concat_ws('|', 'plan', epoch_us(moved_at), movement) as entry_id,
        moved_at as occurred_at

    from mrr_movements

    union all

    -- What a day's health and its alerts are is told as of its beginning.
    select
        coalesce(owners.owner_id, alert_events.account_id) as account_id,
        'alert' as category,
        alert_events.transition as sub_type,
        null as subject,
        concat_ws(': ', alert_events.rule, alert_events.reason) as said,
        alert_events.alert_id as source_id,
        concat_ws('|', 'alert', alert_events.alert_id, alert_events.ordinal) as entry_id,
        {{ first_instant('alert_events.on_day') }} as occurred_at

    from alert_events

    left join owners on alert_events.account_id = owners.account_id

    union all

    select
        account_id,
        'health' as category,
        state as sub_type,
        null as subject,
        'from ' || state_before || ' to ' || state as said,
        cast(day as varchar) as source_id,
        'health|' || day as entry_id,
        {{ first_instant('day') }} as occurred_at

    from health

),

final as (

    select
        entries.account_id,
        entries.entry_id,
        entries.category,
        entries.sub_type,
        entries.subject,
        entries.said,
        entries.source_id,
        entries.occurred_at,
        {{ local_day('entries.occurred_at') }} as occurred_on

    from entries

    -- What was shown of an account before it was known to be a test stays in its days and alerts.
    inner join accounts on entries.account_id = accounts.account_id

    where entries.occurred_at < {{ as_of() }}

)

select * from final
