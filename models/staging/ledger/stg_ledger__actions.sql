-- One row per thing that was told, or is to be told.

with

source as (

    select * from {{ source('ledger', 'actions') }}

),

renamed as (

    select
        action_key,
        kind,
        alert_id,
        number,
        route,
        channel,
        recipient_id,
        state,
        happened_at

    from source

)

select * from renamed
