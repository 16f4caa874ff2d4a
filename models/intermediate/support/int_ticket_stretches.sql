-- One row per ticket, account that it counts under, state of what is known of it and stretch of
-- time in which it was open or not and had one status, priority and type; the first stretch begins
-- when the ticket was opened. A state lasts until a version of the ticket or a change of it comes
-- to be known; the latest is all that landed. Tickets that are left out (spam, deleted, merged) are
-- never open.
--
-- What tickets.ticket_changes says decides from its first word on; before that a field had the word
-- that its first change names as the old one. A field of which no change landed always had the
-- ticket's own word. A word that means neither open nor solved leaves the ticket as it was. After
-- the last change of the status the ticket's own row speaks: that it was solved, or is gone. A
-- ticket that was solved the moment it was opened has a first stretch without length.

{{ config(materialized='table') }}

with

linked as (

    select * from {{ ref('int_tickets_linked') }}

),

accounts as (

    select * from {{ ref('int_accounts_dated') }}

    where not is_test

),

open_spans as (

    select * from {{ ref('int_ticket_open_spans') }}

),

changes as (

    -- A word that is empty is one too: from then on there is none.
    select
        ticket_id,
        changed_at,
        field,
        coalesce(old_value, '') as old_value,
        coalesce(new_value, '') as new_value,
        case
            when field <> 'status' then null
            when {{ is_open_word('new_value') }} then true
            when {{ is_solved_word('new_value') }} then false
        end as is_open,
        known_from

    from {{ ref('stg_tickets__ticket_changes') }}

),

turns as (

    select
        account_id,
        ticket_id,
        known_from as version_known_from,
        known_from,
        known_until

    from linked

    union

    -- A change that came after the version.
    select
        linked.account_id,
        linked.ticket_id,
        linked.known_from as version_known_from,
        changes.known_from,
        linked.known_until

    from linked

    inner join changes
        on
            linked.ticket_id = changes.ticket_id
            and linked.known_from < changes.known_from
            and linked.known_until > changes.known_from

),

states as (

    select
        account_id,
        ticket_id,
        version_known_from,
        known_from,
        coalesce(
            lead(known_from) over (
                partition by account_id, ticket_id, version_known_from order by known_from
            ),
            known_until
        ) as known_until

    from turns

),

tickets as (

    select
        linked.account_id,
        linked.ticket_id,
        linked.created_at,
        coalesce(linked.status, '') as status,
        coalesce(linked.priority, '') as priority,
        coalesce(linked.type, '') as type,
        linked.is_escalated,
        linked.satisfaction_score,
        linked.deleted_at,
        case
            when open_spans.ticket_id is not null then null
            when linked.is_spam then 'spam'
            when linked.is_deleted then 'deleted'
            else 'merged'
        end as left_out_as,
        case
            when linked.deleted_at < {{ as_of() }}
                then greatest(linked.deleted_at, linked.created_at)
        end as gone_at,
        case
            when open_spans.ends_at < {{ as_of() }}
                then greatest(open_spans.ends_at, linked.created_at)
        end as ended_at,
        states.known_from,
        states.known_until,
        linked.is_latest and states.known_until = linked.known_until as is_latest

    from states

    inner join linked
        on
            states.account_id = linked.account_id
            and states.ticket_id = linked.ticket_id
            and states.version_known_from = linked.known_from

    inner join accounts on linked.account_id = accounts.account_id

    left join open_spans
        on
            linked.account_id = open_spans.account_id
            and linked.ticket_id = open_spans.ticket_id
            and linked.known_from = open_spans.known_from

),

own_changes as (

    select
        changes.* exclude (changes.known_from),
        tickets.account_id,
        tickets.known_from,
        changes.changed_at <= tickets.created_at as is_before

    from changes

    inner join tickets
        on
            changes.ticket_id = tickets.ticket_id
            and changes.known_from <= tickets.known_from
            and (tickets.gone_at is null or changes.changed_at < tickets.gone_at)

),

first_words as (

    -- Of each field the word at the opening: the last one told by then, else the first old one.
    select
        account_id,
        ticket_id,
        known_from,
        coalesce(
            arg_max(new_value, changed_at) filter (where field = 'status' and is_before),
            arg_min(old_value, changed_at) filter (where field = 'status')
        ) as status,
        coalesce(
            arg_max(new_value, changed_at) filter (where field = 'priority' and is_before),
            arg_min(old_value, changed_at) filter (where field = 'priority')
        ) as priority,
        coalesce(
            arg_max(new_value, changed_at) filter (where field = 'type' and is_before),
            arg_min(old_value, changed_at) filter (where field = 'type')
        ) as type,
        max(changed_at) filter (where is_open is not null and not is_before) as last_told_at,
        coalesce(bool_or(field in ('status', 'priority', 'type')), false) as has_history

    from own_changes

    group by account_id, ticket_id, known_from

),

begun as (

    select
        tickets.*,
        coalesce(first_words.status, tickets.status) as first_status,
        coalesce(first_words.priority, tickets.priority) as first_priority,
        coalesce(first_words.type, tickets.type) as first_type,
        first_words.last_told_at,
        coalesce({{ is_solved_word('first_words.status') }}, false) as is_born_solved,
        not coalesce(first_words.has_history, false) as is_history_assumed

    from tickets

    left join first_words
        on
            tickets.account_id = first_words.account_id
            and tickets.ticket_id = first_words.ticket_id
            and tickets.known_from = first_words.known_from

),

points as (

    select
        account_id,
        ticket_id,
        known_from,
        created_at as at,
        1 as place,
        first_status as status,
        first_priority as priority,
        first_type as type,
        true as is_open

    from begun

    union all

    select
        account_id,
        ticket_id,
        known_from,
        created_at as at,
        2 as place,
        null as status,
        null as priority,
        null as type,
        false as is_open

    from begun

    where is_born_solved

    union all

    select
        account_id,
        ticket_id,
        known_from,
        changed_at as at,
        3 as place,
        max(new_value) filter (where field = 'status') as status,
        max(new_value) filter (where field = 'priority') as priority,
        max(new_value) filter (where field = 'type') as type,
        bool_or(is_open) as is_open

    from own_changes

    where not is_before and field in ('status', 'priority', 'type')

    group by account_id, ticket_id, known_from, changed_at

    union all

    select
        account_id,
        ticket_id,
        known_from,
        ended_at as at,
        4 as place,
        status,
        null as priority,
        null as type,
        false as is_open

    from begun

    where ended_at is not null and (last_told_at is null or ended_at > last_told_at)

    union all

    select
        account_id,
        ticket_id,
        known_from,
        gone_at as at,
        5 as place,
        null as status,
        null as priority,
        null as type,
        false as is_open

    from begun

    where gone_at is not null

),

stretches as (

    -- What a point doesn't tell is as it was.
    select
        points.account_id,
        points.ticket_id,
        points.known_from,
        row_number() over so_far as stretch,
        last_value(points.status ignore nulls) over so_far as status,
        last_value(points.priority ignore nulls) over so_far as priority,
        last_value(points.type ignore nulls) over so_far as type,
        last_value(points.is_open ignore nulls) over so_far
        and begun.left_out_as is null as is_open,
        points.at as starts_at,
        lead(points.at) over (
            partition by points.account_id, points.ticket_id, points.known_from
            order by points.at, points.place
        ) as ends_at

    from points

    inner join begun
        on
            points.account_id = begun.account_id
            and points.ticket_id = begun.ticket_id
            and points.known_from = begun.known_from

    window
        so_far as (
            partition by points.account_id, points.ticket_id, points.known_from
            order by points.at, points.place
            rows unbounded preceding
        )

),

final as (

    select
        begun.account_id,
        stretches.ticket_id,
        stretches.stretch,
        nullif(stretches.status, '') as status,
        nullif(stretches.priority, '') as priority,
        nullif(stretches.type, '') as type,
        begun.left_out_as,
        stretches.is_open,
        stretches.is_open
        and not coalesce(lag(stretches.is_open) over by_stretch, false) as is_opening,
        begun.is_history_assumed,
        stretches.starts_at,
        stretches.ends_at,
        case
            when stretches.is_open
                then
                    min(stretches.starts_at) filter (where not stretches.is_open) over (
                        partition by
                            stretches.account_id, stretches.ticket_id, stretches.known_from
                        order by stretches.stretch
                        rows between 1 following and unbounded following
                    )
        end as open_until,
        begun.is_escalated,
        begun.satisfaction_score,
        begun.created_at,
        begun.deleted_at,
        begun.known_from,
        begun.known_until,
        begun.is_latest

    from stretches

    inner join begun
        on
            stretches.account_id = begun.account_id
            and stretches.ticket_id = begun.ticket_id
            and stretches.known_from = begun.known_from

    window
        by_stretch as (
            partition by stretches.account_id, stretches.ticket_id, stretches.known_from
            order by stretches.stretch
        )

)

select * from final
