-- One row per event, under the account that crm.account_links says its source id means
-- (spec 00, "Identity"); an id without a link is taken for an account's own.

with

events as (

    select * from {{ ref('stg_events__events') }}

),

links as (

    select * from {{ ref('stg_crm__account_links') }}

),

final as (

    select
        events.* exclude (account_id),
        coalesce(links.account_id, events.account_id) as account_id,
        {{ local_day('events.occurred_at') }} as day,
        {{ known_day('events.known_from') }} as known_day

    from events

    left join links
        on
            events.account_id = links.source_account_id
            and links.link_source = 'events'
            and links.is_latest
            and (links.valid_from is null or events.occurred_at >= links.valid_from)
            and (links.valid_to is null or events.occurred_at < links.valid_to)

)

select * from final
