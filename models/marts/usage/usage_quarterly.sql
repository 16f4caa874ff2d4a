-- One row per account, package, module, feature and fiscal quarter with an event. A sum over rows
-- is right for interactions and seconds; users don't sum: whoever uses two features is one user of
-- the account.

with

months as (

    select
        *,
        {{ fiscal_period_of('quarter', 'month') }} as quarter

    from {{ ref('int_actor_feature_months') }}

),

accounts as (

    select * from {{ ref('int_accounts_dated') }}

    where not is_test and merged_day is null

),

actors as (

    -- One row per actor, so that whoever came in several months is one.
    select
        months.account_id,
        months.actor_id,
        months.user_id,
        months.package,
        months.module,
        months.feature,
        months.quarter,
        bool_or(months.is_active) as is_active,
        sum(months.use_count) as use_count,
        sum(months.active_us) as active_us

    from months

    inner join accounts on months.account_id = accounts.account_id

    group by all

),

final as (

    select
        account_id,
        package,
        module,
        feature,
        quarter,
        cast(sum(use_count) as bigint) as interactions,
        count(*) filter (where is_active and user_id is not null) as active_users,
        count(*) filter (
            where is_active and actor_id like 'anonymous %'
        ) as anonymous_users,
        cast(sum(active_us) / 1000000 as double) as active_seconds,
        quarter + interval 3 month > {{ as_of_day() }} as is_partial

    from actors

    group by account_id, package, module, feature, quarter

)

select * from final
