-- One row per account, user and module that the user ever used, as of the as-of day: the last 30
-- full days, and the 30 before them. `(none)` is use that names no module, and has no rank.

with

feature_days as (

    select * from {{ ref('int_actor_feature_days') }}

    where
        day >= {{ as_of_day() }} - 60 and day < {{ as_of_day() }} and user_id is not null

),

seen as (

    select * from {{ ref('int_features_seen') }}

    where user_id is not null

),

accounts as (

    select * from {{ ref('int_accounts_dated') }}

    where not is_test and merged_day is null

),

ever as (

    select
        seen.account_id,
        seen.user_id,
        seen.module,
        max(seen.last_used_on) as last_used_on

    from seen

    inner join accounts on seen.account_id = accounts.account_id

    group by seen.account_id, seen.user_id, seen.module

    having max(seen.last_used_on) is not null or sum(seen.active_us) > 0

),

days as (

    select
        account_id,
        user_id,
        module,
        day,
        day >= {{ as_of_day() }} - 30 as is_current,
        bool_or(is_used) as is_used,
        sum(active_us) as active_us,
        sum(use_count) as use_count

    from feature_days

    group by account_id, user_id, module, day

),

totals as (

    select
        account_id,
        user_id,
        module,
        sum(active_us) filter (where is_current) as active_us,
        sum(use_count) filter (where is_current) as total_count,
        count(*) filter (where is_current and is_used) as days_used,
        sum(active_us) filter (where is_current and is_used) as used_days_us,
        sum(active_us) filter (where not is_current) as prior_us,
        sum(use_count) filter (where not is_current) as prior_total_count,
        count(*) filter (where not is_current and is_used) as prior_days_used

    from days

    group by account_id, user_id, module

),

measured as (

    select
        ever.*,
        coalesce(totals.active_us, 0) as active_us,
        coalesce(totals.total_count, 0) as total_count,
        coalesce(totals.days_used, 0) as days_used,
        coalesce(totals.used_days_us, 0) as used_days_us,
        coalesce(totals.prior_us, 0) as prior_us,
        coalesce(totals.prior_total_count, 0) as prior_total_count,
        coalesce(totals.prior_days_used, 0) as prior_days_used

    from ever

    left join totals
        on
            ever.account_id = totals.account_id
            and ever.user_id = totals.user_id
            and ever.module = totals.module

),

ranked as (

    select
        *,
        case
            when module <> '(none)'
                then
                    row_number() over (
                        partition by account_id, user_id, module <> '(none)'
                        order by active_us desc, module asc
                    )
        end as rank

    from measured

),

final as (

    select
        account_id,
        user_id,
        module,
        cast(active_us / 1000000 as double) as total_seconds,
        cast(total_count as bigint) as total_count,
        days_used,
        cast(used_days_us / nullif(days_used, 0) / 1000000 as double)
            as time_per_user_per_day_used,
        cast(total_count / nullif(days_used, 0) as double) as count_per_user_per_day_used,
        cast(rank as bigint) as rank,
        coalesce(rank <= 10, false) as is_top_10,
        last_used_on,
        cast(prior_us / 1000000 as double) as prior_total_seconds,
        cast(prior_total_count as bigint) as prior_total_count,
        prior_days_used,
        cast(active_us / nullif(prior_us, 0) - 1 as double) as total_seconds_change_ratio,
        cast(total_count / nullif(prior_total_count, 0) - 1 as double) as total_count_change_ratio

    from ranked

)

select * from final
