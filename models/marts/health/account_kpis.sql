-- One row per account that is no test one and no lead, as of the as-of day: its key figures. What
-- is behind each stands in the mart that it is from.

with

accounts as (

    select * from {{ ref('dim_accounts') }}

    where not is_test and not is_lead

),

health as (

    select * from {{ ref('fct_account_health_daily') }}

    where day = {{ as_of_day() }} - 1

),

components as (

    select * from {{ ref('fct_health_components_daily') }}

    where day = {{ as_of_day() }} - 1 and component in ('engagement', 'support')

),

metrics as (

    select * from {{ ref('account_metrics_daily') }}

    where day = {{ as_of_day() }} - 1

),

entitlements as (

    select * from {{ ref('int_entitlements_dated') }}

    where {{ as_of_day() }} - 1 between first_day and last_day

),

feature_usage as (

    select * from {{ ref('account_feature_usage') }}

),

arrivals as (

    select * from {{ ref('time_to_value') }}

),

risks as (

    select * from {{ ref('renewal_risk') }}

),

expansions as (

    select * from {{ ref('expansion_opportunities') }}

),

features as (

    select
        entitlements.account_id,
        count(distinct row(entitlements.module, entitlements.feature)) as entitled_features,
        count(distinct row(entitlements.module, entitlements.feature)) filter (
            where feature_usage.total_count > 0
        ) as entitled_features_used

    from entitlements

    left join feature_usage
        on
            entitlements.account_id = feature_usage.account_id
            and entitlements.module = feature_usage.module
            and entitlements.feature = feature_usage.feature

    where entitlements.feature <> '(none)'

    group by entitlements.account_id

),

engagement as (

    select
        account_id,
        cast(
            cast(sum(contribution) as double) / nullif(cast(sum(weight) as double), 0)
            as decimal(9, 6)
        ) as engagement_score

    from components

    group by account_id

),

next_risks as (

    -- The next renewal; of several on one day, the one with the most points.
    select *

    from risks

    qualify
        row_number() over (
            partition by account_id
            order by renewal_on asc, risk_points desc nulls last, subscription_id asc
        ) = 1

),

final as (

    select
        accounts.account_id,
        health.score as health_score,
        coalesce(health.state, 'unknown') as health_state,
        metrics.active_seats,
        metrics.purchased_seats,
        metrics.seat_adoption_ratio,
        cast(features.entitled_features_used as bigint) as entitled_features_used,
        cast(features.entitled_features as bigint) as entitled_features,
        features.entitled_features_used / nullif(features.entitled_features, 0)
            as feature_adoption_ratio,
        arrivals.days as time_to_value_days,
        coalesce(arrivals.is_censored, false) as is_time_to_value_censored,
        next_risks.renewal_on,
        next_risks.risk_points as renewal_risk_points,
        next_risks.risk_band as renewal_risk_band,
        expansions.expansion_score,
        coalesce(expansions.is_flagged, false) as is_expansion_flagged,
        engagement.engagement_score

    from accounts

    left join health on accounts.account_id = health.account_id

    left join metrics on accounts.account_id = metrics.account_id

    left join features on accounts.account_id = features.account_id

    left join arrivals on accounts.account_id = arrivals.account_id

    left join next_risks on accounts.account_id = next_risks.account_id

    left join expansions on accounts.account_id = expansions.account_id

    left join engagement on accounts.account_id = engagement.account_id

)

select * from final
