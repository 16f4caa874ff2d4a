-- One row per account per local day that an audited release has shown: written once, never changed.

with

source as (

    select * from {{ source('history', 'fct_account_health_daily') }}

    where day < {{ as_of_day() }}

),

expected as (

    -- What a history lacks that nothing, or an older version, has written to.
    select
        cast(null as varchar) as profile,
        cast(null as decimal(9, 6)) as score,
        cast(null as varchar) as state,
        cast(null as varchar) as unknown_reason,
        cast(null as decimal(9, 6)) as coverage,
        cast(null as decimal(9, 6)) as raw_score,
        cast(null as varchar) as state_before_override,
        cast(null as varchar) as lost_inputs,
        cast(null as boolean) as is_held,
        cast(null as boolean) as is_complete,
        cast(null as varchar) as last_complete_state,
        cast(null as double) as slope,
        cast(null as varchar) as arrow,
        cast(null as varchar) as configuration_version

    where false

),

renamed as (

    select * from expected
    union all by name
    select * from source

)

select * from renamed
