-- One row per account and local month from its first day to the last full day, gaps filled with
-- zeros: use of everything, with the period's own distinct users.

with

accounts as (

    select * from {{ ref('int_accounts_dated') }}

    where not is_test and merged_day is null

),

months as (

    select * from {{ ref('int_actor_feature_months') }}

),

periods as (

    select
        account_id,
        cast(
            unnest(
                generate_series(
                    date_trunc('month', first_day), {{ as_of_day() }} - 1, interval 1 month
                )
            ) as date
        ) as month

    from accounts

),

actors as (

    -- One row per actor, so that whoever used several features is one.
    select
        account_id,
        actor_id,
        user_id,
        month,
        bool_or(is_active) as is_active,
        sum(use_count) as use_count,
        sum(active_us) as active_us

    from months

    group by account_id, actor_id, user_id, month

),

totals as (

    select
        account_id,
        month,
        sum(use_count) as use_count,
        count(*) filter (where is_active and user_id is not null) as active_users,
        count(*) filter (
            where is_active and actor_id like 'anonymous %'
        ) as anonymous_users,
        sum(active_us) as active_us

    from actors

    group by account_id, month

),

final as (

    select
        periods.account_id,
        periods.month,
        cast(coalesce(totals.use_count, 0) as bigint) as interactions,
        coalesce(totals.active_users, 0) as active_users,
        coalesce(totals.anonymous_users, 0) as anonymous_users,
        cast(coalesce(totals.active_us, 0) / 1000000 as double) as active_seconds,
        periods.month + interval 1 month > {{ as_of_day() }} as is_partial

    from periods

    left join totals
        on periods.account_id = totals.account_id and periods.month = totals.month

)

select * from final
