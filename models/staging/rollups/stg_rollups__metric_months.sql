-- One row per account and month: the content that the restated daily metrics were made of.

with

source as (

    select * from {{ source('rollups', 'metric_months') }}

),

renamed as (

    select
        account_id,
        month,
        content

    from source

)

select * from renamed
