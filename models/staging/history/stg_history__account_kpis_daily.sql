-- One row per account and local day that an audited release has shown: written once, never changed.

with

source as (

    select * from {{ source('history', 'account_kpis_daily') }}

    where day < {{ as_of_day() }}

),

expected as (

    -- What a history lacks that nothing, or an older version, has written to.
    select
        cast(null as decimal(9, 6)) as health_score,
        cast(null as bigint) as active_seats,
        cast(null as bigint) as purchased_seats,
        cast(null as double) as seat_adoption_ratio,
        cast(null as bigint) as entitled_features_used,
        cast(null as bigint) as entitled_features,
        cast(null as double) as feature_adoption_ratio,
        cast(null as bigint) as time_to_value_days,
        cast(null as boolean) as is_time_to_value_censored,
        cast(null as date) as renewal_on,
        cast(null as decimal(9, 6)) as renewal_risk_points,
        cast(null as varchar) as renewal_risk_band,
        cast(null as decimal(9, 6)) as expansion_score,
        cast(null as decimal(9, 6)) as engagement_score

    where false

),

renamed as (

    select * from expected
    union all by name
    select * from source

)

select * from renamed
