-- One row per fact that the usage rollups were made with, and the account that it touches.

with

source as (

    select * from {{ source('rollups', 'facts') }}

),

renamed as (

    select
        source_account_id,
        account_id,
        first_day,
        last_day,
        fact

    from source

)

select * from renamed
