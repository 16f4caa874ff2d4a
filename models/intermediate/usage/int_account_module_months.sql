-- One row per account, module and local month with an event: how much it was used, on how many days
-- and by how many users.

{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='sync_all_columns',
    full_refresh=false,
    tags=['rollup'],
    pre_hook="{{ forget_months(ref('int_usage_days_due')) }}",
) }}

with

module_days as (

    select * from {{ ref('int_module_days') }}

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

    select module_days.*

    from module_days

    semi join due_months
        on
            module_days.account_id = due_months.account_id
            and date_trunc('month', module_days.day) = due_months.month

),

final as (

    select
        account_id,
        module,
        cast(date_trunc('month', day) as date) as month,
        count(distinct day) filter (where is_used) as days_used,
        count(distinct user_id) filter (where is_used) as users,
        cast(sum(active_us) as bigint) as active_us,
        cast(sum(use_count) as bigint) as use_count

    from kept

    group by account_id, module, date_trunc('month', day)

)

select * from final
