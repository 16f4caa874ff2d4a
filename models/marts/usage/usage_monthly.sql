-- One row per account, package, module, feature and local month with an event. A sum over rows is right
-- for interactions and seconds; users don't sum: whoever uses two features is one user of the
-- account.

with

months as (

    select * from {{ ref('int_actor_feature_months') }}

),

final as (

    select
        account_id,
        package,
        module,
        feature,
        month,
        cast(sum(use_count) as bigint) as interactions,
        count(distinct user_id) filter (where is_active) as active_users,
        count(distinct actor_id) filter (
            where is_active and actor_id like 'anonymous %'
        ) as anonymous_users,
        cast(sum(active_us) / 1000000 as double) as active_seconds,
        month + interval 1 month > {{ as_of_day() }} as is_partial

    from months

    group by account_id, package, module, feature, month

)

select * from final
