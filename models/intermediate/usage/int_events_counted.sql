-- One row per event of a day that is due and that counts: of an account or lead that landed and is
-- no test, not of an internal user. An actor is a user, else an anonymous visitor, else whoever
-- else used the account namelessly. What an anonymous visitor did in the 30 days before being
-- identified is the user's (spec 30, "Anonymous users"), and known as such once both are.

{{ config(tags=['rollup']) }}

with

events as (

    select * from {{ ref('int_events_linked') }}

),

due as (

    select * from {{ ref('int_usage_days_due') }}

),

accounts as (

    select * from {{ ref('int_companies_known') }}

    where is_latest and not is_test

),

users as (

    select * from {{ ref('int_users_linked') }}

    where is_last_told and is_internal

),

identifications as (

    select * from {{ ref('int_identifications') }}

    where not is_gone

),

non_activity as (

    select * from {{ ref('non_activity_event_types') }}

),

due_events as (

    select events.*

    from events

    inner join due on events.account_id = due.account_id and events.day = due.day

    inner join accounts on events.account_id = accounts.account_id

),

moved as (

    -- Of the identifications after the event the one that was known first decides, then the first,
    -- so that what was shown as a user's stays that user's. One as a colleague moves nothing.
    select
        due_events.account_id,
        due_events.event_id,
        identifications.user_id,
        identifications.known_day

    from due_events

    inner join identifications
        on
            due_events.account_id = identifications.account_id
            and due_events.anonymous_id = identifications.anonymous_id
            and due_events.occurred_at <= identifications.identified_at
            and due_events.occurred_at >= identifications.identified_at - interval 30 day

    left join users
        on
            identifications.account_id = users.account_id
            and identifications.user_id = users.user_id

    where due_events.user_id is null and users.user_id is null

    qualify
        row_number() over (
            partition by due_events.account_id, due_events.event_id
            order by
                identifications.known_day, identifications.identified_at, identifications.user_id
        ) = 1

),

named as (

    select
        due_events.* exclude (user_id),
        coalesce(due_events.user_id, moved.user_id) as user_id,
        greatest(due_events.known_day, moved.known_day) as user_known_day

    from due_events

    left join moved
        on
            due_events.account_id = moved.account_id
            and due_events.event_id = moved.event_id

),

final as (

    select
        named.event_id,
        named.account_id,
        named.user_id,
        case
            when named.user_id is not null then 'user ' || named.user_id
            when named.anonymous_id is not null then 'anonymous ' || named.anonymous_id
            else 'nameless'
        end as actor_id,
        named.occurred_at,
        named.day,
        named.known_day,
        named.user_known_day,
        named.event_type,
        named.event_name,
        coalesce(named.package, '(none)') as package,
        coalesce(named.module, '(none)') as module,
        coalesce(named.feature, '(none)') as feature,
        named.session_id,
        named.duration_seconds,
        named.quantity,
        named.device,
        named.app_version,
        named.error_fingerprint,
        named.error_message,
        named.is_unhandled,
        non_activity.event_type is null as is_activity

    from named

    left join users
        on named.account_id = users.account_id and named.user_id = users.user_id

    left join non_activity on named.event_type = non_activity.event_type

    where users.user_id is null

)

select * from final
