-- One row per time that the daily rows were finished: the last one, or none yet.

with

source as (

    select * from {{ source('rollups', 'settings') }}

),

renamed as (

    select
        as_of,
        watermark_on,
        has_logins,
        core_modules,
        version

    from source

)

select * from renamed
