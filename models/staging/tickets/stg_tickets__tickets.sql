-- One row per version of a ticket that was ever the latest known. A solution that has not happened
-- yet takes its word back with it (spec 00, "What dates a row"); one without an instant was when
-- the row last changed.

with

source as (

    select
        *,
        {{ is_told('updated_at') }} as _is_told

    from {{ source('tickets', 'tickets') }}

    where created_at < {{ as_of() }} or _is_deleted

),

renamed as (

    select
        ticket_id,
        account_id,
        requester_id,
        requester_email,
        subject,
        case
            when
                coalesce(
                    least(solved_at, closed_at),
                    case when {{ is_solved_word('lower(trim(status))') }} then updated_at end
                ) >= {{ as_of() }}
                then 'open'
            when lower(trim(status)) = 'closed' and closed_at >= {{ as_of() }} then 'solved'
            else lower(trim(status))
        end as status,
        lower(trim(priority)) as priority,
        type,
        assignee_id,
        tags,
        url,
        created_at,
        {{ happened('first_response_at') }} as first_response_at,
        {{ happened('solved_at') }} as solved_at,
        {{ happened('closed_at') }} as closed_at,
        satisfaction_score,
        coalesce(is_escalated, false) as is_escalated,
        coalesce(is_spam, false) as is_spam,
        coalesce(is_deleted, false) as is_deleted,
        merged_into_ticket_id,
        updated_at,
        _extras as extras,
        _is_deleted,
        {{ counts('ticket_id') }} as _counts,
        {{ known_from() }} as known_from,
        {{ known_until('ticket_id') }} as known_until,
        {{ deleted_at('ticket_id') }} as deleted_at

    from source

),

final as (

    select
        * exclude (_is_deleted, _counts),
        known_until = cast('9999-12-31' as timestamp with time zone) as is_latest

    from renamed

    where _counts and not _is_deleted and known_from < known_until

)

select * from final
