-- One row per ticket and stretch of time in which it was open or not and had one status, priority
-- and type, as all that landed tells it now.

with

stretches as (

    select * from {{ ref('int_ticket_stretches') }}

    where is_latest

),

final as (

    select
        account_id,
        ticket_id,
        stretch,
        status,
        priority,
        type,
        left_out_as,
        is_open,
        is_opening,
        is_history_assumed,
        starts_at,
        ends_at,
        open_until

    from stretches

)

select * from final
