-- One row per account, module and local month with an event: how much it was used, on how many days
-- and by how many users.

{{ config(materialized='table') }}

with

module_days as (

    select * from {{ ref('int_module_days') }}

    where day < {{ as_of_day() }}

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

    from module_days

    group by account_id, module, date_trunc('month', day)

)

select * from final
