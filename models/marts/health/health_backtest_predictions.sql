-- One row per account that pays and first day of a month since health is kept, and as-of day: what
-- was predicted from the row that was shown for the day before, and whether the account churned in
-- the 30, 60 and 90 days that begin after a gap (NULL while they are not over). Outcomes are as
-- known now, and features as shown then: nothing that came after the prediction is in it. The as-of
-- day has no outcome yet: the fitted model (assets/health/renewal_model.py) is asked about it.

with

health as (

    select * from {{ ref('fct_account_health_daily') }}

),

metrics as (

    select * from {{ ref('account_metrics_daily') }}

),

movements as (

    select * from {{ ref('fct_mrr_movements') }}

    where policy = 'standard' and movement = 'churn'

),

subscriptions as (

    select * from {{ ref('int_subscriptions_linked') }}

),

companies as (

    select
        account_id,
        {{ segment('tier') }} as tier,
        {{ known_day('known_from') }} as first_day,
        {{ known_day('known_until') }} - 1 as last_day

    from {{ ref('int_companies_known') }}

),

settings as (

    select cast(max(value) filter (where setting = 'gap_days') as integer) as gap_days

    from {{ ref('backtest_settings') }}

),

risk_settings as (

    {{ renewal_risk_settings() }}

),

predicted as (

    select
        metrics.account_id,
        metrics.day + 1 as day,
        metrics.day as features_on,
        coalesce(companies.tier, '(none)') as tier,
        health.score as health_score,
        coalesce(health.state, 'unknown') as health_state,
        cast(
            {{ renewal_risk_points('health', 'metrics', 'risk_settings') }} as decimal(9, 6)
        ) as risk_points,
        cast(
            coalesce(
                {{ renewal_proximity('(metrics.days_to_renewal - 1)', 'risk_settings') }},
                risk_settings.far_share
            ) as decimal(9, 6)
        ) as proximity_ratio,
        cast({{ renewal_risk_from_slope('health', 'risk_settings') }} as decimal(9, 6))
            as points_from_slope,
        {{ is_long_overdue('metrics', 'risk_settings') }} as is_long_overdue,
        {{ is_out_of_touch('metrics', 'risk_settings') }} as is_out_of_touch,
        -- From the day of the prediction, as in renewal_risk; the metric's is from the day before.
        metrics.days_to_renewal - 1 as days_to_renewal,
        metrics.tenure_days,
        metrics.active_days_30d,
        metrics.modules_used_30d,
        cast(metrics.active_user_ratio as decimal(9, 6)) as active_user_ratio,
        cast(
            case
                when metrics.use_count_change_ratio > 1 then 1 else metrics.use_count_change_ratio
            end as decimal(9, 6)
        ) as use_change_ratio,
        settings.gap_days

    from metrics

    cross join settings

    cross join risk_settings

    left join health on metrics.account_id = health.account_id and metrics.day = health.day

    left join companies
        on
            metrics.account_id = companies.account_id
            and metrics.day between companies.first_day and companies.last_day

    where
        metrics.account_status in ('customer', 'past_due')
        and (day(metrics.day + 1) = 1 or metrics.day = {{ as_of_day() }} - 1)

),

churned as (

    select
        predicted.account_id,
        predicted.day,
        min(movements.moved_on) as churned_on

    from predicted

    inner join movements
        on predicted.account_id = movements.account_id and predicted.day <= movements.moved_on

    group by predicted.account_id, predicted.day

),

scheduled as (

    -- A cancellation that had been asked for, and was known, before the prediction.
    select distinct
        predicted.account_id,
        predicted.day

    from predicted

    inner join subscriptions
        on
            predicted.account_id = subscriptions.account_id
            and subscriptions.cancelled_at < {{ first_instant('predicted.day') }}
            and subscriptions.known_from <= {{ first_instant('predicted.day') }}
            and subscriptions.known_until > {{ first_instant('predicted.day') }}
            and (
                subscriptions.ended_at is null
                or subscriptions.ended_at >= {{ first_instant('predicted.day') }}
            )

),

followed as (

    select
        predicted.*,
        churned.churned_on,
        churned.churned_on - predicted.day - predicted.gap_days as days_to_churn,
        {{ as_of_day() }} - 1 - predicted.day - predicted.gap_days as days_over,
        scheduled.account_id is not null as is_churn_scheduled

    from predicted

    left join churned
        on predicted.account_id = churned.account_id and predicted.day = churned.day

    left join scheduled
        on predicted.account_id = scheduled.account_id and predicted.day = scheduled.day

),

final as (

    select
        account_id,
        day,
        features_on,
        tier,
        health_score,
        health_state,
        risk_points,
        proximity_ratio,
        points_from_slope,
        is_long_overdue,
        is_out_of_touch,
        days_to_renewal,
        tenure_days,
        active_days_30d,
        modules_used_30d,
        active_user_ratio,
        use_change_ratio,
        churned_on,
        case when days_over >= 30 then coalesce(days_to_churn between 1 and 30, false) end
            as has_churned_30d,
        case when days_over >= 60 then coalesce(days_to_churn between 1 and 60, false) end
            as has_churned_60d,
        case when days_over >= 90 then coalesce(days_to_churn between 1 and 90, false) end
            as has_churned_90d,
        is_churn_scheduled,
        case
            when health_score is null then 'health unknown'
            when days_to_churn <= 0 then 'churned within the gap'
        end as left_out_reason

    from followed

)

select * from final
