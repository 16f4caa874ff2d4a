-- One row per account and month: a sum of hashes of what the restated daily metrics are made of. A
-- day's row rests on what happened by then, be it the beginning or the end of something: the rows
-- before an account's first month that reads otherwise than when they were made stand. What holds
-- for all days stands in a month before all of them.

{{ config(materialized='table') }}

{% set always = "cast('1900-01-01' as date)" %}

with

activity as (

    select * from {{ ref('fct_account_activity_daily') }}

),

license_days as (

    select * from {{ ref('fct_licenses_daily') }}

    where status in ('Active', 'Trial')

),

active_days as (

    select * from {{ ref('int_active_days') }}

),

use_days as (

    select * from {{ ref('int_use_days') }}

),

event_type_days as (

    select * from {{ ref('int_event_type_days') }}

    where event_type in ('error', 'login')

),

metric_spans as (

    select * from {{ ref('int_metric_spans') }}

    where basis = 'restated'

),

companies as (

    select
        account_id,
        status,
        is_lead,
        {{ local_day('created_at') }} as created_on

    from {{ ref('int_companies_known') }}

    where is_latest

),

crm_statuses as (

    select * from {{ ref('account_statuses') }}

),

deliveries as (

    select * from {{ ref('stg_landing__deliveries') }}

),

watermarks as (

    select * from {{ ref('int_source_watermarks_daily') }}

),

recorded as (

    select * from {{ ref('stg_history__account_metrics_daily') }}

),

days_due as (

    select * from {{ ref('int_account_days_due') }}

),

landed as (

    -- What has landed at all: a metric of anything else is undefined on every day.
    select distinct
        source_name,
        table_name
    from deliveries
    union
    select distinct
        source_name,
        null as table_name
    from watermarks

),

shown as (

    select coalesce(max(day), cast('1900-01-01' as date)) as last_day from recorded

),

shown_days as (

    -- The rows of account_metrics_daily, which this run makes or an earlier one showed.
    select
        account_id,
        day
    from recorded
    union all
    select
        days_due.account_id,
        days_due.day
    from days_due
    inner join shown on days_due.day > shown.last_day
    where days_due.day >= days_due.known_day

),

grounds as (

    select
        '{{ version_of("restated") }}' as version,
        sum(hash(landed)) as landed  -- noqa: RF02

    from landed

),

contents as (

    select
        account_id,
        day,
        hash(day, dau, wau, mau, registered_users_30d) as content
    from activity

    union all

    select
        account_id,
        day,
        hash(day, seats_active) as content
    from license_days

    union all

    select
        account_id,
        day,
        hash(day, 'active') as content
    from active_days

    union all

    select
        account_id,
        day,
        hash(day, module, feature, use_count) as content
    from use_days

    union all

    select
        account_id,
        day,
        hash(day, event_type, quantity) as content
    from event_type_days

    union all

    select
        account_id,
        first_day as day,
        hash(first_day, metric, value, value_on) as content
    from metric_spans
    where first_day < {{ as_of_day() }}

    union all

    select
        account_id,
        last_day + 1 as day,
        hash(last_day, metric, value, value_on, 'end') as content
    from metric_spans
    where last_day < {{ as_of_day() }} - 1

    union all

    -- What was shown of a day never changes; that it was shown tells of days_late.
    select
        account_id,
        day,
        hash(day, 'shown') as content
    from shown_days

    union all

    select
        companies.account_id,
        {{ always }} as day,
        hash(
            companies.is_lead,
            companies.created_on,
            crm_statuses.account_status,
            grounds.version,
            grounds.landed
        ) as content
    from companies
    cross join grounds
    left join crm_statuses on lower(companies.status) = crm_statuses.crm_status

),

final as (

    select
        account_id,
        cast(date_trunc('month', day) as date) as month,
        sum(content) as content

    from contents

    group by account_id, cast(date_trunc('month', day) as date)

)

select * from final
