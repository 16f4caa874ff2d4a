-- One row per subscription and day on which its term falls due, for terms that are open and not yet
-- due: how much speaks against the renewal, in points from seeds/renewal_risk_settings.csv. It is
-- no probability. NULL while health is unknown, and more than 180 days before the renewal. The
-- probability of churn and the loss to be expected are the fitted model's: dbt leaves them empty,
-- and the asset that fits it fills them in the same run, before the release (assets/health).

with

renewals as (

    select * from {{ ref('fct_renewals') }}

    where not is_due and outcome = 'open'

),

health as (

    select * from {{ ref('fct_account_health_daily') }}

    where day = {{ as_of_day() }} - 1

),

metrics as (

    select * from {{ ref('account_metrics_daily') }}

    where day = {{ as_of_day() }} - 1

),

settings as (

    {{ renewal_risk_settings() }}

),

pointed as (

    select
        renewals.account_id,
        renewals.subscription_id,
        renewals.renewal_on,
        renewals.arr_due,
        renewals.is_cancellation_scheduled,
        renewals.renewal_on - {{ as_of_day() }} as days_to_renewal,
        {{ renewal_risk_from_health('health', 'settings') }} as points_from_health,
        cast({{ renewal_risk_from_slope('health', 'settings') }} as decimal(9, 6))
            as points_from_slope,
        cast(
            case
                when {{ is_long_overdue('metrics', 'settings') }} then settings.overdue_points
                else 0
            end as decimal(9, 6)
        ) as points_from_overdue,
        cast(
            case
                when {{ is_out_of_touch('metrics', 'settings') }} then settings.touch_points
                else 0
            end as decimal(9, 6)
        ) as points_from_touch,
        settings.near_days,
        settings.far_days,
        settings.far_share,
        settings.medium_from,
        settings.high_from

    from renewals

    cross join settings

    left join health on renewals.account_id = health.account_id

    left join metrics on renewals.account_id = metrics.account_id

),

placed as (

    select
        *,
        cast({{ renewal_proximity('days_to_renewal', 'pointed') }} as decimal(9, 6))
            as proximity_ratio

    from pointed

),

summed as (

    select
        *,
        cast(
            round(
                (points_from_health + points_from_slope + points_from_overdue + points_from_touch)
                * proximity_ratio,
                6
            ) as decimal(9, 6)
        ) as risk_points

    from placed

),

banded as (

    select
        *,
        {{ renewal_risk_band('risk_points') }} as risk_band

    from summed

),

final as (

    select
        account_id,
        subscription_id,
        renewal_on,
        cast(days_to_renewal as bigint) as days_to_renewal,
        risk_points,
        risk_band,
        points_from_health,
        points_from_slope,
        points_from_overdue,
        points_from_touch,
        proximity_ratio,
        arr_due,
        cast(case when risk_band = 'high' then arr_due else 0 end as decimal(18, 2)) as arr_at_risk,
        cast(null as decimal(9, 6)) as churn_probability,
        cast(null as decimal(18, 2)) as expected_loss,
        'not judged yet' as expected_loss_reason,
        is_cancellation_scheduled

    from banded

)

select * from final
