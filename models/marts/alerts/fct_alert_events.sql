-- One row per alert and transition, in order: what became of it, when, why and by whom.

with

alert_events as (

    select * from {{ ref('stg_ledger__alert_events') }}

),

alerts as (

    select * from {{ ref('fct_alerts') }}

),

final as (

    select
        alert_events.alert_id,
        alert_events.ordinal,
        alerts.account_id,
        alerts.rule,
        alert_events.transition,
        alert_events.from_status,
        alert_events.to_status,
        alert_events.cause,
        alert_events.reason,
        coalesce(alert_events.actor, 'evaluation') as actor,
        alert_events.value,
        alert_events.on_day,
        alert_events.happened_at

    from alert_events

    inner join alerts on alert_events.alert_id = alerts.alert_id

)

select * from final
