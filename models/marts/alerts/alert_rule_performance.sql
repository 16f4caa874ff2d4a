-- One row per rule that ever fired: how often, how fast somebody looked, how long it lasted, how
-- many alerts came and went unheeded, and how many of its accounts were lost within 90 days. An
-- alert younger than that whose account is still there has no outcome yet and counts neither way.

with

alerts as (

    select * from {{ ref('fct_alerts') }}

),

account_days as (

    select * from {{ ref('account_metrics_daily') }}

),

lost_days as (

    select
        alerts.alert_id,
        min(account_days.day) as lost_on

    from alerts

    inner join account_days
        on
            alerts.account_id = account_days.account_id
            and alerts.opened_on < account_days.day
            and alerts.opened_on + 90 >= account_days.day
            and account_days.account_status = 'churned'

    -- An account that had churned when the alert opened is not lost by what comes after.
    left join account_days as opening_days
        on
            alerts.account_id = opening_days.account_id
            and alerts.opened_on = opening_days.day

    where opening_days.account_status is distinct from 'churned'

    group by alerts.alert_id

),

outcomes as (

    select
        alerts.*,
        lost_days.lost_on is not null as is_lost,
        lost_days.lost_on is not null
        or alerts.opened_on + 90 < {{ as_of_day() }} as has_outcome

    from alerts

    left join lost_days on alerts.alert_id = lost_days.alert_id

),

counted as (

    select
        rule,
        count(*) as alert_count,
        count(distinct account_id) as account_count,
        count(*) filter (where is_open) as open_count,
        count(acknowledged_on) as acknowledged_count,
        count(resolved_on) as resolved_count,
        count(*) filter (where resolved_how = 'recovered') as recovered_count,
        count(*) filter (where resolved_how = 'recovered' and acknowledged_on is null)
            as noise_count,
        cast(sum(acknowledged_on - opened_on) as bigint) as days_to_acknowledge,
        cast(sum(resolved_on - opened_on) as bigint) as days_to_resolve,
        count(*) filter (where has_outcome) as outcome_count,
        count(*) filter (where is_lost) as lost_count,
        min(opened_on) as first_opened_on,
        max(opened_on) as last_opened_on

    from outcomes

    group by rule

),

final as (

    select
        rule,
        alert_count,
        account_count,
        open_count,
        acknowledged_count,
        resolved_count,
        recovered_count,
        noise_count,
        outcome_count,
        lost_count,
        days_to_acknowledge / nullif(acknowledged_count, 0) as mean_days_to_acknowledge,
        days_to_resolve / nullif(resolved_count, 0) as mean_days_to_resolve,
        lost_count / nullif(outcome_count, 0) as precision_ratio,
        noise_count / nullif(resolved_count, 0) as noise_ratio,
        first_opened_on,
        last_opened_on

    from counted

)

select * from final
