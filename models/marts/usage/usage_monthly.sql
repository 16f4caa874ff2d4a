-- One row per account, package, module, feature and local month with an event. A sum over rows is
-- right for interactions and seconds; users don't sum: whoever uses two features is one user of the
-- account.

with

months as (

    select * from {{ ref('int_actor_feature_months') }}

),

accounts as (

    select * from {{ ref('int_accounts_dated') }}

    where not is_test and merged_day is null

),

final as (

    select
        months.account_id,
        months.package,
        months.module,
        months.feature,
        months.month,
        cast(sum(months.use_count) as bigint) as interactions,
        count(*) filter (
            where months.is_active and months.user_id is not null
        ) as active_users,
        count(*) filter (
            where months.is_active and months.actor_id like 'anonymous %'
        ) as anonymous_users,
        cast(sum(months.active_us) / 1000000 as double) as active_seconds,
        months.month + interval 1 month > {{ as_of_day() }} as is_partial

    from months

    inner join accounts on months.account_id = accounts.account_id

    group by
        months.account_id, months.package, months.module, months.feature, months.month

)

select * from final
