-- One row per account, module and feature that it ever used, or that an entitlement lets it use, as
-- of the as-of day: the last 30 full days, the 30 before them, and its peers. A feature is known by
-- its module and its name; `(none)` is use that names no feature, and has no rank.

with

feature_days as (

    select * from {{ ref('int_actor_feature_days') }}

    where day >= {{ as_of_day() }} - 60 and day < {{ as_of_day() }}

),

seen as (

    select * from {{ ref('int_features_seen') }}

),

activity as (

    select * from {{ ref('fct_account_activity_daily') }}

    where day = {{ as_of_day() }} - 1

),

accounts as (

    select * from {{ ref('dim_accounts') }}

    where not is_test

),

health as (

    select * from {{ ref('fct_account_health_daily') }}

    where day = {{ as_of_day() }} - 1

),

entitlements as (

    select * from {{ ref('int_entitlements_dated') }}

    where {{ as_of_day() }} - 1 between first_day and last_day

),

used as (

    select
        account_id,
        module,
        feature,
        max(last_used_on) as last_used_on

    from seen

    group by account_id, module, feature

    having max(last_used_on) is not null or sum(active_us) > 0

),

listed as (

    -- What an entitlement names stands here unused, too, after all that is used.
    select
        *,
        true as is_used

    from used

    union all

    select distinct
        entitlements.account_id,
        entitlements.module,
        entitlements.feature,
        cast(null as date) as last_used_on,
        false as is_used

    from entitlements

    anti join used
        on
            entitlements.account_id = used.account_id
            and entitlements.module = used.module
            and entitlements.feature = used.feature

    where entitlements.is_landed and entitlements.feature <> '(none)'

),

windowed as (

    select
        *,
        day >= {{ as_of_day() }} - 30 as is_current

    from feature_days

),

totals as (

    select
        account_id,
        module,
        feature,
        sum(active_us) filter (where is_current) as active_us,
        sum(use_count) filter (where is_current) as total_count,
        count(distinct day) filter (where is_current and is_used) as days_used,
        count(distinct user_id) filter (where is_current and is_used) as users,
        count(distinct actor_id) filter (
            where is_current and is_used and actor_id like 'anonymous %'
        ) as anonymous_users,
        sum(active_us) filter (where not is_current) as prior_us,
        sum(use_count) filter (where not is_current) as prior_total_count,
        count(distinct user_id) filter (where not is_current and is_used) as prior_users

    from windowed

    group by account_id, module, feature

),

user_days as (

    -- Days on which an identified user used the feature; a user's other time in it counts that day.
    -- One feature may be used in several packages on a day, by one user.
    select
        account_id,
        module,
        feature,
        day,
        user_id,
        sum(active_us) as active_us,
        sum(use_count) as use_count

    from windowed

    where is_current and user_id is not null

    group by account_id, module, feature, day, user_id

    having bool_or(is_used)

),

used_days as (

    select
        account_id,
        module,
        feature,
        day,
        count(*) as users,
        sum(active_us) as active_us,
        sum(use_count) as use_count

    from user_days

    group by account_id, module, feature, day

),

per_day as (

    -- A day's share is rounded to 9 digits before it is summed, so that the sum is always the same.
    select
        account_id,
        module,
        feature,
        count(*) as user_days_used,
        sum(cast(active_us / users / 1000000 as decimal(28, 9))) as seconds_per_user,
        sum(cast(use_count / users as decimal(28, 9))) as count_per_user,
        sum(active_us) as active_us,
        sum(use_count) as use_count,
        sum(users) as user_days

    from used_days

    group by account_id, module, feature

),

members as (

    -- Who may be a peer: active accounts, with the two benchmarks that they belong to. A lead has
    -- neither.
    select
        accounts.account_id,
        activity.registered_users_30d,
        health.profile,
        case when not accounts.is_lead then {{ segment('accounts.tier') }} end as tier,
        case when not accounts.is_lead then {{ segment('accounts.size_band') }} end as size_band,
        accounts.status in ('customer', 'past_due') as is_active_account

    from accounts

    inner join activity on accounts.account_id = activity.account_id

    left join health on accounts.account_id = health.account_id

),

offered as (

    -- Peers are those who may use the feature, with nobody in it as well as with many.
    select
        account_id,
        module,
        feature

    from entitlements

    union

    select
        account_id,
        module,
        feature

    from totals

    where users > 0

),

offered_members as (

    select
        offered.*,
        members.profile,
        members.tier,
        members.size_band,
        members.registered_users_30d,
        coalesce(totals.users, 0) as users

    from offered

    inner join members
        on offered.account_id = members.account_id and members.is_active_account

    left join totals
        on
            offered.account_id = totals.account_id
            and offered.module = totals.module
            and offered.feature = totals.feature

),

placed_members as (

    select
        *,
        row_number() over (
            partition by module, feature, profile order by users, account_id
        ) as profile_place,
        row_number() over (
            partition by module, feature, tier, size_band order by users, account_id
        ) as segment_place

    from offered_members

),

profile_members as (

    select
        module,
        feature,
        profile,
        count(*) as accounts,
        sum(users) as users,
        sum(registered_users_30d) as registered_users_30d,
        list(users order by users) as sorted_users,
        quantile_cont(users, [0, 0.25, 0.5, 0.75, 1]) as quartiles

    from offered_members

    group by module, feature, profile

),

profile_peers as (

    select
        * exclude (sorted_users),
        {{ around_quartiles('sorted_users') }} as around

    from profile_members

),

segment_members as (

    select
        module,
        feature,
        tier,
        size_band,
        count(*) as accounts,
        sum(users) as users,
        sum(registered_users_30d) as registered_users_30d,
        list(users order by users) as sorted_users,
        quantile_cont(users, [0, 0.25, 0.5, 0.75, 1]) as quartiles

    from offered_members

    group by module, feature, tier, size_band

),

segment_peers as (

    select
        * exclude (sorted_users),
        {{ around_quartiles('sorted_users') }} as around

    from segment_members

),

compared as (

    -- The account itself is left out of its peers.
    select
        listed.account_id,
        listed.module,
        listed.feature,
        listed.last_used_on,
        listed.is_used,
        members.registered_users_30d,
        coalesce(totals.active_us, 0) as active_us,
        coalesce(totals.total_count, 0) as total_count,
        coalesce(totals.days_used, 0) as days_used,
        coalesce(totals.users, 0) as users,
        coalesce(totals.anonymous_users, 0) as anonymous_users,
        coalesce(totals.prior_us, 0) as prior_us,
        coalesce(totals.prior_total_count, 0) as prior_total_count,
        coalesce(totals.prior_users, 0) as prior_users,
        coalesce(
            profile_peers.accounts - case when own.account_id is null then 0 else 1 end, 0
        ) as profile_accounts,
        coalesce(profile_peers.users - coalesce(own.users, 0), 0) as profile_users,
        coalesce(profile_peers.registered_users_30d - coalesce(own.registered_users_30d, 0), 0)
            as profile_registered,
        own.profile_place,
        profile_peers.quartiles as profile_quartiles,
        profile_peers.around as profile_around,
        coalesce(
            segment_peers.accounts - case when own.account_id is null then 0 else 1 end, 0
        ) as segment_accounts,
        coalesce(segment_peers.users - coalesce(own.users, 0), 0) as segment_users,
        coalesce(segment_peers.registered_users_30d - coalesce(own.registered_users_30d, 0), 0)
            as segment_registered,
        own.segment_place,
        segment_peers.quartiles as segment_quartiles,
        segment_peers.around as segment_around

    from listed

    inner join members on listed.account_id = members.account_id

    left join totals
        on
            listed.account_id = totals.account_id
            and listed.module = totals.module
            and listed.feature = totals.feature

    left join placed_members as own
        on
            listed.account_id = own.account_id
            and listed.module = own.module
            and listed.feature = own.feature

    left join profile_peers
        on
            listed.module = profile_peers.module
            and listed.feature = profile_peers.feature
            and members.profile = profile_peers.profile

    left join segment_peers
        on
            listed.module = segment_peers.module
            and listed.feature = segment_peers.feature
            and members.tier = segment_peers.tier
            and members.size_band = segment_peers.size_band

),

ranked as (

    select
        account_id,
        module,
        feature,
        row_number() over (
            partition by account_id order by total_count desc, is_used desc, feature asc, module asc
        ) as rank

    from compared

    where feature <> '(none)'

),

final as (

    select
        compared.account_id,
        compared.module,
        compared.feature,
        cast(compared.active_us / 1000000 as double) as total_seconds,
        cast(compared.total_count as bigint) as total_count,
        cast(compared.days_used as bigint) as days_used,
        cast(compared.users as bigint) as users,
        cast(compared.registered_users_30d - compared.users as bigint) as non_users,
        compared.registered_users_30d,
        cast(compared.anonymous_users as bigint) as anonymous_users,
        cast(
            compared.users / nullif(compared.registered_users_30d, 0) as double
        ) as adoption_rate,
        cast(
            per_day.seconds_per_user / per_day.user_days_used as double
        ) as time_per_user_per_day_used,
        cast(
            per_day.count_per_user / per_day.user_days_used as double
        ) as count_per_user_per_day_used,
        cast(
            per_day.active_us / per_day.user_days / 1000000 as double
        ) as avg_seconds_per_user_day,
        cast(per_day.use_count / per_day.user_days as double) as avg_count_per_user_day,
        cast(coalesce(per_day.user_days, 0) as bigint) as user_days,
        cast(ranked.rank as bigint) as rank,
        coalesce(ranked.rank <= 10, false) as is_top_10,
        compared.last_used_on,
        cast(compared.prior_us / 1000000 as double) as prior_total_seconds,
        cast(compared.prior_total_count as bigint) as prior_total_count,
        cast(compared.prior_users as bigint) as prior_users,
        cast(
            compared.active_us / nullif(compared.prior_us, 0) - 1 as double
        ) as total_seconds_change_ratio,
        cast(
            compared.total_count / nullif(compared.prior_total_count, 0) - 1 as double
        ) as total_count_change_ratio,
        cast(compared.profile_accounts as bigint) as profile_peer_accounts,
        cast(
            case
                when compared.profile_accounts >= 5
                    then compared.profile_users / compared.profile_accounts
            end as double
        ) as profile_peer_average_users,
        cast({{ peer_quartile('compared.profile', 0) }} as bigint) as profile_peer_min_users,
        cast({{ peer_quartile('compared.profile', 1) }} as double) as profile_peer_p25_users,
        cast({{ peer_quartile('compared.profile', 2) }} as double) as profile_peer_median_users,
        cast({{ peer_quartile('compared.profile', 3) }} as double) as profile_peer_p75_users,
        cast({{ peer_quartile('compared.profile', 4) }} as bigint) as profile_peer_max_users,
        cast(
            case
                when compared.profile_accounts >= 5
                    then compared.profile_users / nullif(compared.profile_registered, 0)
            end as double
        ) as profile_peer_adoption_rate,
        cast(compared.segment_accounts as bigint) as peer_accounts,
        cast(
            case
                when compared.segment_accounts >= 5
                    then compared.segment_users / compared.segment_accounts
            end as double
        ) as peer_average_users,
        cast({{ peer_quartile('compared.segment', 0) }} as bigint) as peer_min_users,
        cast({{ peer_quartile('compared.segment', 1) }} as double) as peer_p25_users,
        cast({{ peer_quartile('compared.segment', 2) }} as double) as peer_median_users,
        cast({{ peer_quartile('compared.segment', 3) }} as double) as peer_p75_users,
        cast({{ peer_quartile('compared.segment', 4) }} as bigint) as peer_max_users,
        cast(
            case
                when compared.segment_accounts >= 5
                    then compared.segment_users / nullif(compared.segment_registered, 0)
            end as double
        ) as peer_adoption_rate

    from compared

    left join per_day
        on
            compared.account_id = per_day.account_id
            and compared.module = per_day.module
            and compared.feature = per_day.feature

    left join ranked
        on
            compared.account_id = ranked.account_id
            and compared.module = ranked.module
            and compared.feature = ranked.feature

)

select * from final
