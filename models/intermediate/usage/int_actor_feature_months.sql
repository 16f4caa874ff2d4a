-- One row per account, actor, package, module, feature and local month with an event: sums of the
-- finest rollup, from which quarters and years follow without reading days again.

{{ config(materialized='table') }}

with

feature_days as (

    select * from {{ ref('int_actor_feature_days') }}

    where day < {{ as_of_day() }}

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
        bool_or(is_active) as is_active,
        cast(sum(active_us) as bigint) as active_us,
        cast(sum(use_count) as bigint) as use_count

    from feature_days

    group by all

)

select * from final
