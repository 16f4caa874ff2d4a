-- One row per account and day from which its daily rows were begun, never finished.

with

source as (

    select * from {{ source('rollups', 'accounts_begun') }}

),

renamed as (

    select
        account_id,
        due_from

    from source

)

select * from renamed
