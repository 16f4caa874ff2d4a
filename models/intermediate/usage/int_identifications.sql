-- One row per account, anonymous id, user and local day on which events name both ids: the first
-- such event identifies the visitor. One that its day no longer has stays, as gone, so that what it
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

final as (

    select
        events.account_id,
        events.anonymous_id,
        events.user_id,
        events.day,
        min(events.occurred_at) as identified_at,
        min(events.known_day) as known_day,
        false as is_gone

    from events

    inner join touched on events.account_id = touched.account_id and events.day = touched.day

    where events.user_id is not null and events.anonymous_id is not null

    group by events.account_id, events.anonymous_id, events.user_id, events.day

)

select * from final
