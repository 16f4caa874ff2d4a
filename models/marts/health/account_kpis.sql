-- One row per account that is no test one and no lead, as of the as-of day: its key figures, as
-- account_kpis_daily has them of the last full day. What is behind each stands in the mart that it
-- is told of: health, time_to_value, renewal_risk, expansion_opportunities.

with

accounts as (

    select * from {{ ref('dim_accounts') }}

    where not is_test and not is_lead

),

health as (

    select * from {{ ref('fct_account_health_daily') }}

    where day = {{ as_of_day() }} - 1

),

figures as (

    select * from {{ ref('account_kpis_daily') }}

    where day = {{ as_of_day() }} - 1

),

expansions as (

    select * from {{ ref('expansion_opportunities') }}

),

final as (

    select
        accounts.account_id,
        figures.health_score,
        coalesce(health.state, 'unknown') as health_state,
        figures.active_seats,
        figures.purchased_seats,
        figures.seat_adoption_ratio,
        figures.entitled_features_used,
        figures.entitled_features,
        figures.feature_adoption_ratio,
        figures.time_to_value_days,
        coalesce(figures.is_time_to_value_censored, false) as is_time_to_value_censored,
        figures.renewal_on,
        figures.renewal_risk_points,
        figures.renewal_risk_band,
        figures.expansion_score,
        coalesce(expansions.is_flagged, false) as is_expansion_flagged,
        figures.engagement_score

    from accounts

    left join health on accounts.account_id = health.account_id

    left join figures on accounts.account_id = figures.account_id

    left join expansions on accounts.account_id = expansions.account_id

)

select * from final
