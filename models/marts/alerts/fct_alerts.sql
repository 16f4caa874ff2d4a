-- One row per alert that ever opened, as it stood at the as-of instant. What a release's evaluation
-- did is dated by that release's as-of, what people did by the clock.

with

alerts as (

    select * from {{ ref('stg_ledger__alerts') }}

),

alert_events as (

    select * from {{ ref('stg_ledger__alert_events') }}

),

accounts as (

    select * from {{ ref('int_accounts_named') }}

),

states as (

    select
        alert_id,
        arg_max(to_status, ordinal) as status,
        arg_max(cause, ordinal) as last_cause,
        arg_max(on_day, ordinal) as last_on,
        arg_max(snoozed_until, ordinal) as snoozed_until,
        min(on_day) filter (where transition = 'acknowledged') as acknowledged_on

    from alert_events

    group by alert_id

),

final as (

    select
        alerts.alert_id,
        accounts.account_id,
        alerts.rule,
        alerts.rule_version,
        alerts.family,
        alerts.severity,
        states.status,
        alerts.sentence,
        alerts.metric,
        alerts.scope,
        alerts.value,
        alerts.value_text,
        alerts.threshold,
        alerts.held_since,
        alerts.opened_on,
        states.acknowledged_on,
        case when states.status = 'snoozed' then states.snoozed_until end as snoozed_until,
        case when states.status = 'resolved' then states.last_on end as resolved_on,
        case when states.status = 'resolved' then states.last_cause end as resolved_how,
        case when states.status = 'resolved' then states.last_on else {{ as_of_day() }} end
        - alerts.opened_on as days_open,
        states.status != 'resolved' as is_open

    from alerts

    inner join states on alerts.alert_id = states.alert_id

    inner join accounts on alerts.account_id = accounts.named_id

)

select * from final
