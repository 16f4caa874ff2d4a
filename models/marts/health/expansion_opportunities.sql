-- One row per account that pays: how much speaks for selling it more, and the evidence, in points
-- from seeds/expansion_settings.csv. Flagged unless its health is poor, it is past due or a
-- critical alert is open.

with

metrics as (

    select * from {{ ref('account_metrics_daily') }}

    where day = {{ as_of_day() }} - 1 and account_status in ('customer', 'past_due')

),

health as (

    select * from {{ ref('fct_account_health_daily') }}

    where day = {{ as_of_day() }} - 1

),

entitlements as (

    select * from {{ ref('stg_crm__entitlements') }}

    where is_latest and limit_quantity > 0 and usage_metric is not null

),

owners as (

    select * from {{ ref('int_account_owners') }}

    where is_latest

),

phases as (

    select * from {{ ref('int_subscription_phases') }}

    where policy = 'standard' and is_latest and phase = 'paid'

),

subscriptions as (

    select * from {{ ref('int_subscriptions_linked') }}

    where is_latest

),

alerts as (

    select * from {{ ref('fct_alerts') }}

    where is_open and severity = 'critical'

),

settings as (

    {{ expansion_settings() }}

),

valid_limits as (

    select * from entitlements

    where
        valid_from < {{ as_of() }}
        and coalesce(valid_to > {{ as_of() }}, true)
        and coalesce(deleted_at > {{ as_of() }}, true)

),

plans as (

    select distinct
        phases.account_id,
        subscriptions.plan

    from phases

    inner join subscriptions on phases.subscription_id = subscriptions.subscription_id

    where phases.starts_at < {{ as_of() }} and coalesce(phases.ends_at > {{ as_of() }}, true)

),

limits as (

    select
        coalesce(owners.owner_id, valid_limits.account_id) as account_id,
        valid_limits.limit_name,
        valid_limits.usage_metric,
        valid_limits.limit_quantity

    from valid_limits

    left join owners on valid_limits.account_id = owners.account_id

    where valid_limits.account_id is not null

    union

    select
        plans.account_id,
        valid_limits.limit_name,
        valid_limits.usage_metric,
        valid_limits.limit_quantity

    from valid_limits

    inner join plans on lower(valid_limits.plan) = lower(plans.plan)

    where valid_limits.account_id is null

),

told as (

    select
        account_id,
        metric,
        value

    from (
        unpivot metrics
        on cast(columns(* exclude (account_id, day, account_status)) as double)
        into name metric value value
    )

),

limits_used as (

    select
        limits.account_id,
        max(told.value / limits.limit_quantity) as limit_used_ratio,
        max_by(
            coalesce(limits.limit_name, limits.usage_metric),
            struct_pack(
                ratio := told.value / limits.limit_quantity,
                name := coalesce(limits.limit_name, limits.usage_metric)
            )
        ) as limit_name,
        max_by(
            told.value,
            struct_pack(
                ratio := told.value / limits.limit_quantity,
                name := coalesce(limits.limit_name, limits.usage_metric)
            )
        ) as limit_used_quantity,
        max_by(
            limits.limit_quantity,
            struct_pack(
                ratio := told.value / limits.limit_quantity,
                name := coalesce(limits.limit_name, limits.usage_metric)
            )
        ) as limit_quantity

    from limits

    inner join told
        on limits.account_id = told.account_id and limits.usage_metric = told.metric

    group by limits.account_id

),

alerted as (

    select distinct account_id from alerts

),

pointed as (

    select
        metrics.account_id,
        metrics.account_status,
        health.score as health_score,
        health.state as health_state,
        health.slope as health_slope,
        limits_used.limit_name,
        limits_used.limit_used_quantity,
        limits_used.limit_quantity,
        limits_used.limit_used_ratio,
        metrics.contacts_engaged_30d,
        metrics.departments_engaged_30d,
        settings.flagged_from,
        alerted.account_id is not null as has_critical_alert,
        case
            when health.score >= settings.score_from and health.slope > 0
                then settings.health_points
            else 0
        end as points_from_health,
        case
            when limits_used.limit_used_ratio >= settings.limit_ratio then settings.limit_points
            else 0
        end as points_from_limit,
        case
            when
                metrics.contacts_engaged_30d >= settings.contacts_from
                or metrics.departments_engaged_30d >= settings.departments_from
                then settings.people_points
            else 0
        end as points_from_people

    from metrics

    cross join settings

    left join health on metrics.account_id = health.account_id

    left join limits_used on metrics.account_id = limits_used.account_id

    left join alerted on metrics.account_id = alerted.account_id

),

final as (

    select
        account_id,
        cast(points_from_health + points_from_limit + points_from_people as decimal(9, 6))
            as expansion_score,
        cast(points_from_health as decimal(9, 6)) as points_from_health,
        cast(points_from_limit as decimal(9, 6)) as points_from_limit,
        cast(points_from_people as decimal(9, 6)) as points_from_people,
        health_score,
        health_state,
        health_slope,
        limit_name,
        cast(limit_used_quantity as double) as limit_used_quantity,
        cast(limit_quantity as double) as limit_quantity,
        cast(limit_used_ratio as double) as limit_used_ratio,
        cast(contacts_engaged_30d as bigint) as contacts_engaged_30d,
        cast(departments_engaged_30d as bigint) as departments_engaged_30d,
        has_critical_alert,
        points_from_health + points_from_limit + points_from_people >= flagged_from
        and not has_critical_alert
        and account_status <> 'past_due'
        and coalesce(health_state, 'unknown') <> 'poor' as is_flagged

    from pointed

)

select * from final
