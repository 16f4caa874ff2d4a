-- One row per account and full local day with use of a core feature by an identified user (spec 30,
-- "depth").

{{ config(materialized='table') }}

with

feature_days as (

    select * from {{ ref('int_actor_feature_days') }}

    where user_id is not null and day < {{ as_of_day() }}

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
