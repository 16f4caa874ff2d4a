-- One row per account, anonymous id, user and instant at which an event names both ids and so says
-- who the visitor is; a colleague moves nothing. Of those of a local day that became known on the
-- same day, only the first and whichever follow an event that names no user: the others would move
-- nothing. One that its day no longer has stays, as gone, so that what it moved moves back.

{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    tags=['rollup'],
    pre_hook=[
        "{{ read_events_of(ref('int_usage_days_touched')) }}",
        "{{ forget_identifications(ref('int_usage_days_touched')) }}",
    ],
    post_hook=["{{ read_all_events() }}", "{{ forget_what_is_not_gone() }}"]
) }}

with

events as (

    select * from {{ ref('int_events_linked') }}

),

touched as (

    select * from {{ ref('int_usage_days_touched') }}

),

colleagues as (

    select * from {{ ref('int_users_linked') }}

    where is_last_told and is_internal

),

visits as (

    select
        events.account_id,
        events.anonymous_id,
        events.user_id,
        events.event_id,
        events.day,
        events.occurred_at,
        greatest(events.day, events.known_day) as known_day,
        max(case when events.user_id is null then events.occurred_at end) over (
            partition by events.account_id, events.anonymous_id, events.day
            order by events.occurred_at asc, events.user_id asc nulls first, events.event_id asc
            rows unbounded preceding
        ) as last_unnamed_at

    from events

    inner join touched on events.account_id = touched.account_id and events.day = touched.day

    where events.anonymous_id is not null

),

named as (

    select
        visits.*,
        lag(visits.occurred_at) over (
            partition by visits.account_id, visits.anonymous_id, visits.day, visits.known_day
            order by visits.occurred_at, visits.user_id, visits.event_id
        ) as last_named_at

    from visits

    anti join colleagues
        on visits.account_id = colleagues.account_id and visits.user_id = colleagues.user_id

    where visits.user_id is not null

),

final as (

    select
        account_id,
        anonymous_id,
        user_id,
        day,
        occurred_at as identified_at,
        min(known_day) as known_day,
        false as is_gone

    from named

    where last_named_at is null or last_unnamed_at >= last_named_at

    group by account_id, anonymous_id, user_id, day, occurred_at

)

select * from final
