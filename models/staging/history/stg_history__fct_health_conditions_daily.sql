-- One row per account, local day and condition that an audited release has shown: written once,
-- never changed.

with

source as (

    select * from {{ source('history', 'fct_health_conditions_daily') }}

    where day < {{ as_of_day() }}

),

renamed as (

    select * from source

)

select * from renamed
