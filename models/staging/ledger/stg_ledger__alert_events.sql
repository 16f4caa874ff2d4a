-- One row per transition of an alert, in order; ordinal 1 is its opening.

with

source as (

    select * from {{ source('ledger', 'alert_events') }}

),

renamed as (

    select
        alert_id,
        ordinal,
        transition,
        from_status,
        to_status,
        cause,
        reason,
        actor,
        value,
        on_day,
        snoozed_until,
        happened_at

    from source

)

select * from renamed
