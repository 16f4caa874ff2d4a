-- One row per account, user, package and run of days with the licence that published rows count
-- under.

with

source as (

    select * from {{ source('rollups', 'licenses') }}

),

renamed as (

    select
        account_id,
        user_id,
        package,
        first_day,
        last_day,
        license_id

    from source

)

select * from renamed
