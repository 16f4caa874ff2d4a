-- One row per change of the raw events, account as the events name it, and UTC day that it touched.

with

source as (

    select * from {{ source('landing', 'event_days') }}

),

renamed as (

    select
        change_id,
        account_id as source_account_id,
        first_at,
        last_at

    from source

)

select * from renamed
