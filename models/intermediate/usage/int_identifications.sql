-- One row per account, anonymous id, user and instant at which an event names both ids and so says
-- who the visitor is: the first of a local day, and whichever follows an event that names no user.
-- The others would move nothing. One that its day no longer has stays, as gone, so that what it
-- moved moves back.

{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    tags=['rollup'],
    pre_hook=[
        "{{ read_events_from(ref('int_usage_days_touched')) }}",
        "{{ read_events_until(ref('int_usage_days_touched')) }}",
        "{{ forget_identifications(ref('int_usage_days_touched')) }}",
    ],
    post_hook=[
        "reset variable events_from",
        "reset variable events_until",
        "{{ forget_what_is_not_gone() }}",
    ]
) }}

with

events as (

    select * from {{ ref('int_events_linked') }}

),

touched as (

    select * from {{ ref('int_usage_days_touched') }}

),

visits as (

    select
        events.account_id,
        events.anonymous_id,
        events.user_id,
        events.day,
        events.occurred_at,
        events.known_day,
        lag(events.user_id) over visitor_so_far is null as follows_no_user,
        count(events.user_id) over visitor_so_far = 1 as is_first_of_day

    from events

    inner join touched on events.account_id = touched.account_id and events.day = touched.day

    where events.anonymous_id is not null

    window
        visitor_so_far as (
            partition by events.account_id, events.anonymous_id, events.day
            order by events.occurred_at asc, events.user_id asc nulls first, events.event_id asc
            rows between unbounded preceding and current row
        )

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

    from visits

    where user_id is not null and (follows_no_user or is_first_of_day)

    group by account_id, anonymous_id, user_id, day, occurred_at

)

select * from final
