-- One row per time that the usage rollups were finished: the last one, or none yet.

with

source as (

    select * from {{ source('rollups', 'done') }}

),

renamed as (

    select
        change_id,
        as_of,
        has_logins

    from source

)

select * from renamed
