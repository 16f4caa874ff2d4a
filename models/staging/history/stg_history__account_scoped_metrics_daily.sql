-- One row per account, local day, metric and scope that an audited release has shown: written once,
-- never changed.

with

source as (

    select * from {{ source('history', 'account_scoped_metrics_daily') }}

    where day < {{ as_of_day() }}

),

expected as (

    -- What a history lacks that nothing, or an older version, has written to.
    select
        cast(null as varchar) as metric,
        cast(null as varchar) as scope,
        cast(null as double) as value

    where false

),

renamed as (

    select * from expected
    union all by name
    select * from source

)

select * from renamed
