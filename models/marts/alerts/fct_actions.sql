-- One row per thing that was told, or is to be told: through which route, and whether it arrived.

with

actions as (

    select * from {{ ref('stg_ledger__actions') }}

),

alerts as (

    select * from {{ ref('fct_alerts') }}

),

final as (

    select
        actions.action_key,
        actions.kind,
        actions.alert_id,
        alerts.account_id,
        alerts.rule,
        actions.route,
        actions.channel,
        actions.recipient_id,
        actions.state,
        actions.number,
        actions.happened_at

    from actions

    left join alerts on actions.alert_id = alerts.alert_id

    -- What is about an alert of an account that is no customer's goes with it.
    where actions.alert_id is null or alerts.alert_id is not null

)

select * from final
