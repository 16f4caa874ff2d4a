-- One row per account, local day, metric and scope that the health seeds, an alert rule or a chart
-- name, as known at the day's end: written by the first audited release past that day and never
-- changed.

{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='append_new_columns',
    full_refresh=false,
    pre_hook="{{ forget_unshown(ref('stg_history__account_scoped_metrics_daily')) }}",
) }}

with

recorded as (

    select * from {{ ref('stg_history__account_scoped_metrics_daily') }}

),

measured as (

    select * from {{ ref('int_scoped_metrics_measured') }}

),

final as (

    select
        account_id,
        day,
        metric,
        scope,
        value

    from measured

    where {{ not_kept() }}

    union all

    select
        account_id,
        day,
        metric,
        scope,
        value

    from recorded

    where {{ not_kept() }}

)

select * from final
