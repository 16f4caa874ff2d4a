-- One row per account per local day whose change of the score an audited release has shown: written
-- once, never changed.

with

source as (

    select * from {{ source('history', 'fct_health_changes') }}

    where day < {{ as_of_day() }}

),

renamed as (

    select * from source

)

select * from renamed
