-- One row per user, measure, basis and unbroken run of days on which the user counts in the
-- measure, from the day from which the account is due. A day's count is then a running sum of
-- starts and ends, whatever the window (spec 30, "Speed and memory"). Basis `as_known` starts a run
-- on the first day whose row may use what landed about it.

{{ config(materialized='table', tags=['kept']) }}

with

due as (

    select * from {{ ref('int_accounts_due') }}

),

actor_days as (

    -- The longest window has 30 days.
    select actor_days.*

    from {{ ref('int_actor_days') }} as actor_days

    inner join due
        on
            actor_days.account_id = due.account_id
            and actor_days.day >= due.due_from - 29

    where actor_days.user_id is not null

),

actors_seen as (

    select * from {{ ref('int_actors_seen') }}

    where user_id is not null

),

users as (

    select
        *,
        {{ local_day('created_at') }} as created_on,
        {{ local_day('least(deactivated_at, deleted_at)') }} as deactivated_on,
        {{ known_day('known_from') }} as known_day,
        {{ known_day('known_until') }} as replaced_day

    from {{ ref('int_users_linked') }}

    where not is_internal

),

deactivations as (

    -- Since when, and until when, a row's word about a user's deactivation was the last one known.
    select
        account_id,
        user_id,
        deactivated_on,
        known_day,
        replaced_day,
        is_latest

    from users

    union all

    select
        account_id,
        user_id,
        null as deactivated_on,
        cast('1900-01-01' as date) as known_day,
        min(known_day) as replaced_day,
        false as is_latest

    from users

    group by account_id, user_id

),

accounts as (

    select * from {{ ref('int_accounts_dated') }}

    where not is_test

),

windows (measure, kind, length, basis) as (

    values
    ('dau', 'active', 1, 'restated'),
    ('wau', 'active', 7, 'restated'),
    ('mau', 'active', 30, 'restated'),
    ('mau', 'active', 30, 'as_known'),
    ('registered_users', 'registered', 1, 'restated'),
    ('registered_users_30d', 'registered', 30, 'restated'),
    ('registered_users_30d', 'registered', 30, 'as_known')

),

active as (

    select
        actor_days.account_id,
        actor_days.user_id,
        windows.measure,
        windows.basis,
        case
            when windows.basis = 'as_known'
                then greatest(actor_days.day, actor_days.user_active_known_day)
            else actor_days.day
        end as first_day,
        actor_days.day + windows.length - 1 as last_day

    from actor_days

    inner join windows on windows.kind = 'active'

    where actor_days.is_active

),

registered as (

    -- A user in whom the product had an event is registered from it on, created_at or not.
    select
        users.account_id,
        users.user_id,
        windows.measure,
        windows.basis,
        case
            when windows.basis = 'as_known' then greatest(users.created_on, users.known_day)
            else users.created_on
        end as first_day,
        case
            when windows.basis = 'as_known'
                then least(users.deactivated_on + windows.length - 1, users.replaced_day - 1)
            else coalesce(users.deactivated_on + windows.length - 1, cast('9999-01-01' as date))
        end as last_day

    from users

    inner join accounts on users.account_id = accounts.account_id

    inner join windows
        on windows.kind = 'registered' and (windows.basis = 'as_known' or users.is_latest)

    where users.created_on is not null

),

seen_days as (

    -- Whoever was ever seen, from the first day on, and on days whose windows are due.
    select
        account_id,
        user_id,
        first_day as day,
        first_known_day as known_day

    from actors_seen

    union all

    select
        account_id,
        user_id,
        day,
        greatest(day, user_known_day) as known_day

    from actor_days

),

seen as (

    -- Whoever had an event counts until deactivated, and in the window of a later event all the
    -- same.
    select
        seen_days.account_id,
        seen_days.user_id,
        windows.measure,
        windows.basis,
        case
            when windows.basis = 'as_known'
                then greatest(seen_days.known_day, deactivations.known_day)
            else seen_days.day
        end as first_day,
        least(
            case
                when deactivations.deactivated_on is null then cast('9999-01-01' as date)
                else
                    greatest(deactivations.deactivated_on, seen_days.day) + windows.length - 1
            end,
            case when windows.basis = 'as_known' then deactivations.replaced_day - 1 end
        ) as last_day

    from seen_days

    inner join windows on windows.kind = 'registered'

    left join deactivations
        on
            seen_days.account_id = deactivations.account_id
            and seen_days.user_id = deactivations.user_id
            and (windows.basis = 'as_known' or deactivations.is_latest)

),

spans as (

    select * from active
    union all
    select * from registered
    union all
    select * from seen

),

due_spans as (

    select
        spans.account_id,
        spans.user_id,
        spans.measure,
        spans.basis,
        greatest(spans.first_day, due.due_from) as first_day,
        spans.last_day

    from spans

    inner join due on spans.account_id = due.account_id

    where spans.first_day <= spans.last_day and spans.last_day >= due.due_from

),

reached as (

    select
        *,
        max(last_day) over (
            partition by account_id, user_id, measure, basis
            order by first_day, last_day
            rows between unbounded preceding and 1 preceding
        ) as reached_day,
        max(last_day) over (
            partition by account_id, user_id, measure, basis
            order by first_day, last_day
            rows between unbounded preceding and unbounded following
        ) as last_reached_day

    from due_spans

),

final as (

    -- A run ends where those before the next one's beginning had reached.
    select
        account_id,
        user_id,
        measure,
        basis,
        first_day,
        coalesce(
            lead(reached_day) over (
                partition by account_id, user_id, measure, basis order by first_day
            ),
            last_reached_day
        ) as last_day

    from reached

    where first_day > coalesce(reached_day + 1, first_day - 1)

)

select * from final
