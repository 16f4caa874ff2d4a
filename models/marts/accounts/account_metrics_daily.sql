-- One row per account per local day, as known at the day's end: written by the first audited
-- release past that day and never changed (spec 40). Health, rules and replay read it.

with

recorded as (

    select * from {{ ref('stg_history__account_metrics_daily') }}

),

measured as (

    select * from {{ ref('int_account_metrics_measured') }}

),

rated as (

    select
        *,
        mau / nullif(registered_users_30d, 0) as active_user_ratio,
        use_count_30d / nullif(use_count_prior_30d, 0) - 1 as use_count_change_ratio

    from measured

),

shown as (

    -- By name, so that a metric that is new stands as NULL in the days before it.
    select * from rated
    union all by name
    select * from recorded

),

final as (

    select
        account_id,
        day,
        account_status,
        cast(mrr as decimal(18, 2)) as mrr,
        cast(registered_users_30d as bigint) as registered_users_30d,
        cast(mau as bigint) as mau,
        cast(active_user_ratio as double) as active_user_ratio,
        cast(active_days_30d as bigint) as active_days_30d,
        cast(use_count_30d as bigint) as use_count_30d,
        cast(use_count_prior_30d as bigint) as use_count_prior_30d,
        cast(use_count_change_ratio as double) as use_count_change_ratio,
        cast(modules_used_30d as bigint) as modules_used_30d,
        cast(days_since_last_activity as bigint) as days_since_last_activity,
        cast(open_tickets as bigint) as open_tickets,
        cast(urgent_open_tickets as bigint) as urgent_open_tickets

    from shown

)

select * from final
