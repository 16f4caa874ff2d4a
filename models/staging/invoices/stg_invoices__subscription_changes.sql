-- One row per subscription and instant, before the as-of one, at which its status changed. Of a
-- system that tells what holds today alone (is_today_only) and lands no changes, the status changed
-- when a later delivery tells another one: when the row was last changed, else on its day. Trials
-- are not told so, since trial_ends_at dates them.

with

source as (

    select * from {{ source('invoices', 'subscription_changes') }}

    where changed_at < {{ as_of() }}

),

subscriptions as (

    select
        subscription_id,
        started_at,
        updated_at,
        _known_at,
        _version_at,
        _load_order,
        _row,
        {{ known_from() }} as known_from,
        {{ first_instant(known_day('_known_at')) }} as delivered_from,
        replace({{ subscription_word('status') }}, 'trialing', 'active') as status

    from {{ source('invoices', 'subscriptions') }}

    where
        is_today_only
        and not _is_deleted
        and started_at < {{ as_of() }}
        and {{ is_told('updated_at') }}

),

turned as (

    select
        *,
        lag(status) over so_far as status_before

    from subscriptions

    window so_far as (
        partition by subscription_id order by _version_at nulls first, _load_order, _row
    )

),

told_today as (

    -- The first one holds since the start: paid for until something else is told, or not.
    select
        turned.subscription_id,
        turned.status,
        turned.known_from,
        null as extras,
        case
            when turned.status_before is null then turned.started_at
            when turned.updated_at is null then turned.delivered_from
            else least(turned.updated_at, turned._known_at)
        end as changed_at

    from turned

    anti join source on turned.subscription_id = source.subscription_id

    where
        turned.status <> coalesce(turned.status_before, 'active')
        and (
            turned.status_before is not null
            or turned.status in ('paused', 'unpaid', 'incomplete', 'incomplete_expired')
        )

),

renamed as (

    select
        subscription_id,
        changed_at,
        {{ subscription_word('status') }} as status,
        _extras as extras,
        {{ known_from() }} as known_from

    from source

),

final as (

    select * from renamed

    union all by name

    select * from told_today

    where changed_at < {{ as_of() }}

    qualify
        row_number() over (
            partition by subscription_id, changed_at order by known_from desc, status asc
        ) = 1

)

select * from final
