-- One row per event and account that it counts under: the one that crm.account_links says its
-- source id means (spec 00, "Identity"; an id without a link is taken for an account's own), and
-- each that this one became part of, from when that is known. A merged account has no rows in the
-- marts but those of days before, so that an event counts once on any day.

{{ config(tags=['rollup']) }}

with

events as (

    -- A rollup sets the two variables to the days that it makes anew; elsewhere they are not set.
    select * from {{ ref('stg_events__events') }}

    where
        occurred_at >= coalesce(
            getvariable('events_from'), cast('-infinity' as timestamp with time zone)
        )
        and occurred_at < coalesce(
            getvariable('events_until'), cast('infinity' as timestamp with time zone)
        )

),

links as (

    select * from {{ ref('stg_crm__account_links') }}

),

owners as (

    select * from {{ ref('int_account_owners') }}

),

linked as (

    select
        events.* exclude (account_id),
        coalesce(links.account_id, events.account_id) as account_id

    from events

    left join links
        on
            events.account_id = links.source_account_id
            and {{ link_holds('events', 'events.occurred_at') }}

),

final as (

    select
        linked.* exclude (account_id, known_from),
        coalesce(owners.owner_id, linked.account_id) as account_id,
        greatest(linked.known_from, owners.known_from) as known_from,
        {{ local_day('linked.occurred_at') }} as day,
        {{ known_day('greatest(linked.known_from, owners.known_from)') }} as known_day

    from linked

    left join owners on linked.account_id = owners.account_id

)

select * from final
