-- One row: what the usage rollups hold once this run has made them all. Written down afterwards, so
-- that the next run does the days that changed since, and no other.

{{ config(
    materialized='table',
    post_hook=[
        "delete from {{ source('rollups', 'done').render() }}",
        "insert into {{ source('rollups', 'done').render() }} select change_id, as_of from {{ this }}",
        "delete from {{ source('rollups', 'facts').render() }}",
        "insert into {{ source('rollups', 'facts').render() }} select * from {{ ref('int_usage_routes') }}",
        "delete from {{ source('rollups', 'days_begun').render() }}",
    ]
) }}

-- depends_on: {{ ref('int_usage_routes') }}
-- depends_on: {{ ref('int_actor_days') }}
-- depends_on: {{ ref('int_module_days') }}
-- depends_on: {{ ref('int_session_days') }}
-- depends_on: {{ ref('int_use_days') }}
-- depends_on: {{ ref('int_event_days') }}
-- depends_on: {{ ref('int_event_type_days') }}
-- depends_on: {{ ref('int_error_days') }}

with

event_days as (

    select * from {{ ref('stg_landing__event_days') }}

),

final as (

    select
        coalesce(max(change_id), 0) as change_id,
        {{ as_of() }} as as_of

    from event_days

)

select * from final
