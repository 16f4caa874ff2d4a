-- One row per account, module, actor and local day: the user-module-day rollup. `(none)` is the
-- module of an event without one, so that the modules' time adds up to the account's.

with

feature_days as (

    select * from {{ ref('int_actor_feature_days') }}

),

due as (

    select * from {{ ref('int_usage_days_due') }}

),

final as (

    select
        feature_days.account_id,
        feature_days.module,
        feature_days.actor_id,
        feature_days.user_id,
        feature_days.day,
        bool_or(feature_days.is_used) as is_used,
        cast(sum(feature_days.active_us) as bigint) as active_us,
        cast(sum(feature_days.use_count) as bigint) as use_count

    from feature_days

    inner join due on feature_days.account_id = due.account_id and feature_days.day = due.day

    group by
        feature_days.account_id,
        feature_days.module,
        feature_days.actor_id,
        feature_days.user_id,
        feature_days.day

)

select * from final
