-- One row per account, actor, package, module, feature and local month with an event: sums of the
-- finest rollup, from which quarters and years follow without reading days again.

{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='sync_all_columns',
    full_refresh=false,
    tags=['rollup'],
    pre_hook="{{ forget_months(ref('int_usage_days_due')) }}",
) }}

with

feature_days as (

    select * from {{ ref('int_actor_feature_days') }}

    where day < {{ as_of_day() }}

),

due as (

    select * from {{ ref('int_usage_days_due') }}

),

due_months as (

    select distinct
        account_id,
        date_trunc('month', day) as month

    from due

),

kept as (

    select feature_days.*

    from feature_days

    semi join due_months
        on
            feature_days.account_id = due_months.account_id
            and date_trunc('month', feature_days.day) = due_months.month

),

final as (

    select
        account_id,
        actor_id,
        user_id,
        package,
        module,
        feature,
        cast(date_trunc('month', day) as date) as month,
        min(day) as first_seen_on,
        max(day) filter (where is_used) as last_used_on,
        bool_or(is_active) as is_active,
        cast(sum(active_us) as bigint) as active_us,
        cast(sum(use_count) as bigint) as use_count

    from kept

    group by all

)

select * from final
