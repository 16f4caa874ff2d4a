-- One row per account, actor, package, module and feature in which the actor ever had an event: the
-- first day of activity and the last day of use. They stay when raw events are gone.

{{ config(materialized='table') }}

with

feature_months as (

    select * from {{ ref('int_actor_feature_months') }}

),

final as (

    select
        account_id,
        actor_id,
        user_id,
        package,
        module,
        feature,
        min(first_seen_on) as first_seen_on,
        max(last_used_on) as last_used_on,
        cast(sum(active_us) as bigint) as active_us

    from feature_months

    group by account_id, actor_id, user_id, package, module, feature

)

select * from final
