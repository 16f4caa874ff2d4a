-- One row per account and module that it ever used, as of the as-of day: the last 30 full days, the
-- 30 before them, and the module's peers. `(none)` is use that names no module; it has no rank.

with

module_days as (

    select * from {{ ref('int_module_days') }}

),

activity as (

    select * from {{ ref('fct_account_activity_daily') }}

),

accounts as (

    select * from {{ ref('dim_accounts') }}

),

last_days as (

    select
        account_id,
        registered_users_30d

    from activity

    where day = {{ as_of_day() }} - 1

),

windowed as (

    select
        account_id,
        module,
        day,
        actor_id,
        user_id,
        is_used,
        active_us,
        use_count,
        day >= {{ as_of_day() }} - 30 as is_current

    from module_days

    where day < {{ as_of_day() }}

),

totals as (

    select
        account_id,
        module,
        coalesce(sum(active_us) filter (where is_current), 0) as active_us,
        coalesce(sum(use_count) filter (where is_current), 0) as total_count,
        coalesce(count(distinct day) filter (where is_current and is_used), 0) as days_used,
        count(distinct user_id) filter (where is_current and is_used) as users,
        count(distinct actor_id) filter (
            where is_current and is_used and actor_id like 'anonymous %'
        ) as anonymous_users,
        max(day) filter (where is_used) as last_used_on,
        coalesce(
            sum(active_us) filter (where not is_current and day >= {{ as_of_day() }} - 60), 0
        ) as prior_us,
        coalesce(
            sum(use_count) filter (where not is_current and day >= {{ as_of_day() }} - 60), 0
        ) as prior_total_count,
        count(distinct user_id) filter (
            where not is_current and is_used and day >= {{ as_of_day() }} - 60
        ) as prior_users

    from windowed

    group by account_id, module

    having bool_or(is_used) or sum(active_us) > 0

),

user_days as (

    -- Days on which an identified user used the module; a user's other time in it counts that day.
    select
        account_id,
        module,
        day,
        count(*) as users,
        sum(active_us) as active_us,
        sum(use_count) as use_count

    from windowed

    where is_current and is_used and user_id is not null

    group by account_id, module, day

),

per_day as (

    -- A day's share is rounded to 9 digits before it is summed, so that the sum is always the same.
    select
        account_id,
        module,
        count(*) as user_days_used,
        sum(cast(active_us / users / 1000000 as decimal(28, 9))) as seconds_per_user,
        sum(cast(use_count / users as decimal(28, 9))) as count_per_user,
        sum(active_us) as active_us,
        sum(use_count) as use_count,
        sum(users) as user_days

    from user_days

    group by account_id, module

),

sized as (

    select
        totals.*,
        last_days.registered_users_30d,
        per_day.user_days_used,
        per_day.seconds_per_user,
        per_day.count_per_user,
        per_day.active_us as user_us,
        per_day.use_count as user_use_count,
        per_day.user_days,
        accounts.tier,
        accounts.size_band,
        accounts.status in ('customer', 'past_due') as is_active_account,
        case
            when totals.module <> '(none)'
                then
                    row_number() over (
                        partition by totals.account_id, totals.module <> '(none)'
                        order by totals.active_us desc, totals.module asc
                    )
        end as rank

    from totals

    inner join accounts on totals.account_id = accounts.account_id

    inner join last_days on totals.account_id = last_days.account_id

    left join per_day
        on totals.account_id = per_day.account_id and totals.module = per_day.module

),

segments as (

    -- Every active account of the segment is a peer, with nobody in the module as well as with
    -- many.
    select
        tier,
        size_band,
        count(*) as accounts

    from accounts

    where status in ('customer', 'past_due') and not is_test

    group by tier, size_band

),

segment_use as (

    select
        tier,
        size_band,
        module,
        sum(users) as users,
        sum(registered_users_30d) as registered_users_30d

    from sized

    where is_active_account

    group by tier, size_band, module

),

segment_registered as (

    select
        accounts.tier,
        accounts.size_band,
        sum(last_days.registered_users_30d) as registered_users_30d

    from accounts

    inner join last_days on accounts.account_id = last_days.account_id

    where accounts.status in ('customer', 'past_due')

    group by accounts.tier, accounts.size_band

),

compared as (

    select
        sized.*,
        coalesce(segments.accounts, 0) - case when sized.is_active_account then 1 else 0 end
            as peer_accounts,
        coalesce(segment_use.users, 0)
        - case when sized.is_active_account then sized.users else 0 end as peer_users,
        coalesce(segment_registered.registered_users_30d, 0)
        - case when sized.is_active_account then sized.registered_users_30d else 0 end
            as peer_registered_users

    from sized

    left join segments
        on
            sized.tier is not distinct from segments.tier
            and sized.size_band is not distinct from segments.size_band

    left join segment_use
        on
            sized.tier is not distinct from segment_use.tier
            and sized.size_band is not distinct from segment_use.size_band
            and sized.module = segment_use.module

    left join segment_registered
        on
            sized.tier is not distinct from segment_registered.tier
            and sized.size_band is not distinct from segment_registered.size_band

),

final as (

    select
        account_id,
        module,
        cast(active_us / 1000000 as double) as total_seconds,
        cast(total_count as bigint) as total_count,
        cast(days_used as bigint) as days_used,
        cast(users as bigint) as users,
        cast(registered_users_30d - users as bigint) as non_users,
        cast(registered_users_30d as bigint) as registered_users_30d,
        cast(anonymous_users as bigint) as anonymous_users,
        cast(users / nullif(registered_users_30d, 0) as double) as adoption_rate,
        cast(seconds_per_user / user_days_used as double) as time_per_user_per_day_used,
        cast(count_per_user / user_days_used as double) as count_per_user_per_day_used,
        cast(user_us / nullif(user_days, 0) / 1000000 as double) as avg_seconds_per_user_day,
        cast(user_use_count / nullif(user_days, 0) as double) as avg_count_per_user_day,
        cast(coalesce(user_days, 0) as bigint) as user_days,
        cast(rank as bigint) as rank,
        last_used_on,
        cast(prior_us / 1000000 as double) as prior_total_seconds,
        cast(prior_total_count as bigint) as prior_total_count,
        cast(prior_users as bigint) as prior_users,
        cast(active_us / nullif(prior_us, 0) - 1 as double) as total_seconds_change_ratio,
        cast(total_count / nullif(prior_total_count, 0) - 1 as double) as total_count_change_ratio,
        cast(peer_accounts as bigint) as peer_accounts,
        cast(
            case when peer_accounts >= 5 then peer_users / peer_accounts end as double
        ) as peer_average_users,
        cast(
            case when peer_accounts >= 5 then peer_users / nullif(peer_registered_users, 0) end
            as double
        ) as peer_adoption_rate

    from compared

)

select * from final
