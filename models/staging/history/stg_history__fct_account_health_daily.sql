-- One row per account per local day that an audited release has shown: written once, never changed.

with

source as (

    select * from {{ source('history', 'fct_account_health_daily') }}

    where day < {{ as_of_day() }}

),

renamed as (

    select * from source

)

select * from renamed
