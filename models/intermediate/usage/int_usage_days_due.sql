-- One row per account and local day that the usage rollups make anew: those that were touched, and
-- the 30 days before an identification that came or went, where the visitor was anonymous then.

{{ config(
    materialized='table',
    tags=['rollup'],
    pre_hook="{{ read_events_of(ref('int_usage_days_touched'), before=31) }}",
    post_hook=["{{ read_all_events() }}", "{{ note_days_begun() }}"]
) }}

with

touched as (

    select * from {{ ref('int_usage_days_touched') }}

),

events as (

    select * from {{ ref('int_events_linked') }}

),

identifications as (

    select * from {{ ref('int_identifications') }}

),

retention as (

    select * from {{ ref('stg_landing__retention') }}

    where table_name = 'events.events'

),

retained as (

    select coalesce(max({{ local_day('retained_from') }}), cast('-infinity' as date)) as first_day

    from retention

),

moved as (

    select
        identifications.account_id,
        identifications.anonymous_id,
        identifications.identified_at

    from identifications

    inner join touched
        on identifications.account_id = touched.account_id and identifications.day = touched.day

),

visits as (

    select
        account_id,
        anonymous_id,
        occurred_at,
        day

    from events

    where user_id is null and anonymous_id is not null

),

final as (

    select
        account_id,
        day

    from touched

    union

    select
        visits.account_id,
        visits.day

    from visits

    inner join moved
        on
            visits.account_id = moved.account_id
            and visits.anonymous_id = moved.anonymous_id
            and visits.occurred_at <= moved.identified_at
            and visits.occurred_at >= moved.identified_at - interval 30 day

    inner join retained on visits.day >= retained.first_day

)

select * from final
