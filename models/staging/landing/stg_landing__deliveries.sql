-- One row per delivery that was loaded: one content of one landed file, for one table.

with

source as (

    select * from {{ source('landing', 'deliveries') }}

    where state <> 'refused'

),

renamed as (

    select
        delivery_id,
        source as source_name,
        table_name,
        path,
        dt,
        first_as_of,
        known_at,
        watermark_at

    from source

)

select * from renamed
