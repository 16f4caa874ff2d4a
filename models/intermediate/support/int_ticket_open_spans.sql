-- One row per version of a ticket that counts, with the time in which it is open: from its creation
-- until it is solved, not until the archive closes it (spec 40, "Ticket age"). A ticket whose
-- status says that it is open again is open, whatever instants an earlier solution left behind.

with

tickets as (

    select * from {{ ref('int_tickets_linked') }}

),

accounts as (

    select * from {{ ref('int_accounts_dated') }}

),

final as (

    select
        tickets.account_id,
        tickets.ticket_id,
        tickets.created_at as starts_at,
        least(
            case
                when {{ is_open_word('tickets.status') }} then null
                else
                    coalesce(
                        tickets.solved_at,
                        tickets.closed_at,
                        case
                            when {{ is_solved_word('tickets.status') }}
                                then coalesce(tickets.updated_at, tickets.created_at)
                        end
                    )
            end,
            tickets.deleted_at
        ) as ends_at,
        tickets.known_from

    from tickets

    inner join accounts
        on tickets.account_id = accounts.account_id and not accounts.is_test

    where
        not tickets.is_spam
        and not tickets.is_deleted
        and tickets.merged_into_ticket_id is null

)

select * from final
