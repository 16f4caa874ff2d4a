-- One row per account and fiscal quarter from its first day to the last full day, gaps filled with
-- zeros: use of everything, with the period's own distinct users.

with

accounts as (

    select * from {{ ref('int_accounts_dated') }}

    where not is_test and merged_day is null

),

months as (

    select
        *,
        {{ fiscal_period_of('quarter', 'month') }} as quarter

    from {{ ref('int_actor_feature_months') }}

),

periods as (

    select
        account_id,
        cast(
            unnest(
                generate_series(
                    {{ fiscal_period_of('quarter', 'first_day') }},
                    {{ as_of_day() }} - 1,
                    interval 3 month
                )
            ) as date
        ) as quarter

    from accounts

),

actors as (

    -- One row per actor, so that whoever used several features is one.
    select
        account_id,
        actor_id,
        user_id,
        quarter,
        bool_or(is_active) as is_active,
        sum(use_count) as use_count,
        sum(active_us) as active_us

    from months

    group by account_id, actor_id, user_id, quarter

),

totals as (

    select
        account_id,
        quarter,
        sum(use_count) as use_count,
        count(*) filter (where is_active and user_id is not null) as active_users,
        count(*) filter (
            where is_active and actor_id like 'anonymous %'
        ) as anonymous_users,
        sum(active_us) as active_us

    from actors

    group by account_id, quarter

),

final as (

    select
        periods.account_id,
        periods.quarter,
        cast(coalesce(totals.use_count, 0) as bigint) as interactions,
        coalesce(totals.active_users, 0) as active_users,
        coalesce(totals.anonymous_users, 0) as anonymous_users,
        cast(coalesce(totals.active_us, 0) / 1000000 as double) as active_seconds,
        periods.quarter + interval 3 month > {{ as_of_day() }} as is_partial

    from periods

    left join totals
        on periods.account_id = totals.account_id and periods.quarter = totals.quarter

)

select * from final
