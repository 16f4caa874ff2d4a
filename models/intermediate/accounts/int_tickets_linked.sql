-- One row per version of a ticket and account that it counts under: the one that its help-desk id
-- means, until the merge of that one into another is known, then that other one.

with

tickets as (

    select * from {{ ref('stg_tickets__tickets') }}

),

links as (

    select * from {{ ref('stg_crm__account_links') }}

),

owners as (

    select * from {{ ref('int_account_owners') }}

),

linked as (

    select
        tickets.* exclude (account_id),
        coalesce(links.account_id, tickets.account_id) as account_id

    from tickets

    left join links
        on
            tickets.account_id = links.source_account_id
            and {{ link_holds('tickets', 'tickets.created_at') }}

),

final as (

    select
        linked.* exclude (account_id, known_from, known_until, is_latest),
        {{ under_owner('linked') }}

    from linked

    left join owners on linked.account_id = owners.account_id

    where {{ is_told_under_owner('linked') }}

)

select * from final
