-- One row per account and fact that its daily rows were made with.

with

source as (

    select * from {{ source('rollups', 'account_facts') }}

),

renamed as (

    select
        account_id,
        fact,
        first_day

    from source

)

select * from renamed
