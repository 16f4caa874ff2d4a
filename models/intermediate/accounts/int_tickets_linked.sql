-- One row per version of a ticket, under the account that its help-desk id means.

with

tickets as (

    select * from {{ ref('stg_tickets__tickets') }}

),

links as (

    select * from {{ ref('stg_crm__account_links') }}

),

final as (

    select
        tickets.* exclude (account_id),
        coalesce(links.account_id, tickets.account_id) as account_id

    from tickets

    left join links
        on
            tickets.account_id = links.source_account_id
            and links.link_source = 'tickets'
            and links.is_latest
            and (links.valid_from is null or tickets.created_at >= links.valid_from)
            and (links.valid_to is null or tickets.created_at < links.valid_to)

)

select * from final
