-- One row per build: what the usage rollups hold once this run has made them all. Written down
-- afterwards, so that the next run does the days that changed since, and no other.

{{ config(
    materialized='table',
    post_hook=[
        "delete from {{ source('rollups', 'done').render() }}",
        "insert into {{ source('rollups', 'done').render() }} select * from {{ this }}",
        "delete from {{ source('rollups', 'facts').render() }}",
        "insert into {{ source('rollups', 'facts').render() }} select * from {{ ref('int_usage_routes') }}",
        "delete from {{ source('rollups', 'licenses').render() }}",
        "insert into {{ source('rollups', 'licenses').render() }} select * from {{ ref('int_user_licenses_chosen') }}",
        "delete from {{ source('rollups', 'days_begun').render() }}",
        "delete from {{ source('rollups', 'settings').render() }}",
        "insert into {{ source('rollups', 'settings').render() }} select * from {{ ref('int_usage_settings') }}",
        "delete from {{ source('rollups', 'account_facts').render() }}",
        "insert into {{ source('rollups', 'account_facts').render() }} select * from {{ ref('int_account_facts') }}",
        "delete from {{ source('rollups', 'accounts_begun').render() }}",
    ]
) }}

-- depends_on: {{ ref('int_usage_routes') }}
-- depends_on: {{ ref('int_actor_days') }}
-- depends_on: {{ ref('int_module_days') }}
-- depends_on: {{ ref('int_session_days') }}
-- depends_on: {{ ref('int_use_days') }}
-- depends_on: {{ ref('int_user_licenses_chosen') }}
-- depends_on: {{ ref('int_actor_feature_months') }}
-- depends_on: {{ ref('int_account_module_months') }}
-- depends_on: {{ ref('fct_user_activity_daily') }}
-- depends_on: {{ ref('fct_user_module_daily') }}
-- depends_on: {{ ref('fct_user_feature_daily') }}
-- depends_on: {{ ref('fct_unhandled_errors_daily') }}
-- depends_on: {{ ref('fct_custom_interactions_daily') }}
-- depends_on: {{ ref('int_active_days') }}
-- depends_on: {{ ref('int_actor_months') }}
-- depends_on: {{ ref('int_usage_settings') }}
-- depends_on: {{ ref('int_account_facts') }}
-- depends_on: {{ ref('int_account_weeks') }}
-- depends_on: {{ ref('int_registered_months') }}
-- depends_on: {{ ref('fct_account_activity_daily') }}
-- depends_on: {{ ref('fct_licenses_daily') }}
-- depends_on: {{ ref('int_event_type_days') }}
-- depends_on: {{ ref('int_error_days') }}

with

changes as (

    select * from {{ ref('stg_landing__event_days') }}

),

login_source as (

    select * from {{ ref('int_login_source') }}

),

final as (

    select
        coalesce(max(changes.change_id), 0) as change_id,
        {{ as_of() }} as as_of,
        bool_or(login_source.has_logins) as has_logins

    from login_source

    left join changes on true

)

select * from final
