-- One row per raw table whose old rows were cut, with the first instant of which it keeps all.

with

source as (

    select * from {{ source('landing', 'retention') }}

),

renamed as (

    select
        source || '.' || table_name as table_name,
        retained_from

    from source

)

select * from renamed
