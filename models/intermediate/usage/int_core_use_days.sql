-- One row per account and full local day with use of a core feature by an identified user (spec 30,
-- "depth"), as far back as the windows of the days that are due reach.

{{ config(materialized='table', tags=['kept']) }}

with

due as (

    select * from {{ ref('int_accounts_due') }}

),

feature_days as (

    select feature_days.*

    from {{ ref('int_actor_feature_days') }} as feature_days

    inner join due
        on
            feature_days.account_id = due.account_id
            and feature_days.day >= due.due_from - 29

    where feature_days.user_id is not null and feature_days.day < {{ as_of_day() }}

),

modules as (

    select * from {{ ref('int_modules_known') }}

    where is_core

),

final as (

    select
        feature_days.account_id,
        feature_days.day,
        cast(sum(feature_days.use_count) as bigint) as core_use_count

    from feature_days

    inner join modules
        on feature_days.module = modules.module and feature_days.feature = modules.feature

    where feature_days.is_used

    group by feature_days.account_id, feature_days.day

)

select * from final
