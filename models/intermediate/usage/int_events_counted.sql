-- One row per event that counts: of an account that landed and is no test, not of an internal user.
-- An actor is a user, else an anonymous visitor, else whoever else used the account namelessly.

with

events as (

    select * from {{ ref('int_events_linked') }}

),

accounts as (

    select * from {{ ref('int_accounts_dated') }}

),

users as (

    select * from {{ ref('int_users_linked') }}

),

non_activity as (

    select * from {{ ref('non_activity_event_types') }}

),

final as (

    select
        events.event_id,
        events.account_id,
        events.user_id,
        case
            when events.user_id is not null then 'user ' || events.user_id
            when events.anonymous_id is not null then 'anonymous ' || events.anonymous_id
            else 'nameless'
        end as actor_id,
        events.occurred_at,
        events.day,
        events.known_day,
        events.event_type,
        coalesce(events.module, '(none)') as module,
        events.session_id,
        events.duration_seconds,
        events.quantity,
        non_activity.event_type is null as is_activity

    from events

    inner join accounts
        on events.account_id = accounts.account_id and not accounts.is_test

    left join users
        on
            events.account_id = users.account_id
            and events.user_id = users.user_id
            and users.is_last_told

    left join non_activity on events.event_type = non_activity.event_type

    where not coalesce(users.is_internal, false)

)

select * from final
