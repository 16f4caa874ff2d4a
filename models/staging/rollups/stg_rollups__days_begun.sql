-- One row per account and local day whose rollups were begun and are not known to be finished.

with

source as (

    select * from {{ source('rollups', 'days_begun') }}

),

renamed as (

    select
        account_id,
        day

    from source

)

select * from renamed
