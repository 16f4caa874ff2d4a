-- One row per account with health and local day: its key figures as known at the day's end, written
-- by the first audited release past that day and never changed.

{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='append_new_columns',
    full_refresh=false,
    pre_hook="{{ forget_unshown(ref('stg_history__account_kpis_daily')) }}",
) }}

with

recorded as (

    select * from {{ ref('stg_history__account_kpis_daily') }}

),

measured as (

    select * from {{ ref('int_kpis_measured') }}

),

shown as (

    select * from measured

    union all by name

    select * from recorded

    where {{ not_kept() }}

),

final as (

    select
        account_id,
        day,
        health_score,
        active_seats,
        purchased_seats,
        seat_adoption_ratio,
        entitled_features_used,
        entitled_features,
        feature_adoption_ratio,
        time_to_value_days,
        coalesce(is_time_to_value_censored, false) as is_time_to_value_censored,
        renewal_on,
        renewal_risk_points,
        renewal_risk_band,
        expansion_score,
        engagement_score

    from shown

)

select * from final
