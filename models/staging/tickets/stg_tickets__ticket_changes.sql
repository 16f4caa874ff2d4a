-- One row per ticket, instant before the as-of one and field that changed then. Words of a status
-- and of a priority are lower case, as those of the ticket itself.

with

source as (

    select * from {{ source('tickets', 'ticket_changes') }}

    where changed_at < {{ as_of() }}

),

renamed as (

    select
        ticket_id,
        changed_at,
        field,
        case when field in ('status', 'priority') then lower(trim(old_value)) else old_value end
            as old_value,
        case when field in ('status', 'priority') then lower(trim(new_value)) else new_value end
            as new_value,
        _extras as extras,
        {{ known_from() }} as known_from

    from source

)

select * from renamed
