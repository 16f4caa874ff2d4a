-- One row per account, local day and condition that an audited release has shown: written once,
-- never changed.

with

source as (

    select * from {{ source('history', 'fct_health_conditions_daily') }}

    where day < {{ as_of_day() }}

),

expected as (

    -- What a history lacks that nothing, or an older version, has written to.
    select
        cast(null as varchar) as condition,
        cast(null as varchar) as profile,
        cast(null as varchar) as component,
        cast(null as varchar) as kind,
        cast(null as varchar) as metric,
        cast(null as varchar) as scope,
        cast(null as decimal(18, 6)) as metric_value,
        cast(null as varchar) as direction,
        cast(null as decimal(18, 6)) as lower_edge,
        cast(null as decimal(18, 6)) as upper_edge,
        cast(null as varchar) as band,
        cast(null as decimal(9, 6)) as score,
        cast(null as decimal(9, 6)) as nominal_weight,
        cast(null as decimal(9, 6)) as freshness_ratio,
        cast(null as decimal(9, 6)) as effective_weight,
        cast(null as decimal(9, 6)) as contribution,
        cast(null as boolean) as is_warming_up,
        cast(null as varchar) as configuration_version

    where false

),

renamed as (

    select * from expected
    union all by name
    select * from source

)

select * from renamed
