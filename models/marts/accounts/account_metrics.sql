-- One row per account and metric, as of the as-of day: the last full day's value as it was known
-- at its end (account_metrics_daily, account_kpis_daily), its change, mean and trends against the
-- days before, as they are known now (account_metrics_daily_restated) or, of a key figure, as they
-- were shown, and what the account's peers have.
-- What a metric means stands in metric_registry alone. Slopes are least squares over the days with
-- a value, per week; under 7 such days they are NULL (spec 50).

with

metrics as (

    select * from {{ ref('account_metrics_daily') }}

    where day = {{ as_of_day() }} - 1

    union all by name

    select * exclude (days_late) from {{ ref('account_metrics_daily_restated') }}

    where day between {{ as_of_day() }} - 180 and {{ as_of_day() }} - 2

),

kpis as (

    select * from {{ ref('account_kpis_daily') }}

    where day between {{ as_of_day() }} - 180 and {{ as_of_day() }} - 1

),

registry as (

    select * from {{ ref('metric_registry') }}

),

accounts as (

    select * from {{ ref('dim_accounts') }}

),

health as (

    select * from {{ ref('fct_account_health_daily') }}

),

recent as (

    select metrics.*

    from metrics

    inner join accounts on metrics.account_id = accounts.account_id

),

recent_kpis as (

    select kpis.*

    from kpis

    inner join accounts on kpis.account_id = accounts.account_id

),

told as (

    select
        account_id,
        day,
        metric,
        value

    from (
        unpivot recent
        on cast(columns(* exclude (account_id, day, account_status)) as double)
        into name metric value value
    )

    union all

    select
        account_id,
        day,
        metric,
        value

    from (
        unpivot recent_kpis
        -- The figures that account_metrics_daily has are told from there.
        on cast(
            columns(
                * exclude (
                    account_id,
                    day,
                    active_seats,
                    purchased_seats,
                    seat_adoption_ratio,
                    is_time_to_value_censored,
                    renewal_on,
                    renewal_risk_band
                )
            ) as double
        )
        into name metric value value
    )

),

long_form as (

    -- DOUBLE sums differ from run to run, those of decimals don't.
    select
        account_id,
        metric,
        value,
        cast(value as decimal(28, 9)) as exact_value,
        {{ as_of_day() }} - day as days_ago

    from told

),

summed as (

    select
        account_id,
        metric,
        max(value) filter (where days_ago = 1) as value,
        max(value) filter (where days_ago = 31) as value_30_days_before,
        sum(exact_value) filter (where days_ago <= 7) as sum_7d,
        count(*) filter (where days_ago <= 7) as known_days_7d,
        count(*) filter (where days_ago <= 56) as n_8w,
        sum(-days_ago) filter (where days_ago <= 56) as x_8w,
        sum(days_ago * days_ago) filter (where days_ago <= 56) as xx_8w,
        sum(exact_value) filter (where days_ago <= 56) as y_8w,
        sum(-days_ago * exact_value) filter (where days_ago <= 56) as xy_8w,
        count(*) as n_180d,
        sum(-days_ago) as x_180d,
        sum(days_ago * days_ago) as xx_180d,
        sum(exact_value) as y_180d,
        sum(-days_ago * exact_value) as xy_180d

    from long_form

    group by account_id, metric

),

judged as (

    select * from health

    where day = {{ as_of_day() }} - 1

),

members as (

    -- The two benchmarks that an account belongs to; a lead has neither.
    select
        recent.account_id,
        judged.profile,
        case when not accounts.is_lead then {{ segment('accounts.tier') }} end as tier,
        case when not accounts.is_lead then {{ segment('accounts.size_band') }} end as size_band,
        accounts.status in ('customer', 'past_due') as is_active_account

    from recent

    inner join accounts on recent.account_id = accounts.account_id

    left join judged on recent.account_id = judged.account_id

    where recent.day = {{ as_of_day() }} - 1

),

offered as (

    -- Peers are active accounts with a value.
    select
        members.*,
        summed.metric,
        summed.value,
        cast(summed.value as decimal(28, 9)) as exact_value

    from members

    inner join summed on members.account_id = summed.account_id

    where members.is_active_account and summed.value is not null

),

placed as (

    select
        *,
        row_number() over (
            partition by metric, profile order by value, account_id
        ) as profile_place,
        row_number() over (
            partition by metric, tier, size_band order by value, account_id
        ) as segment_place

    from offered

),

profile_members as (

    select
        metric,
        profile,
        count(*) as accounts,
        sum(exact_value) as total,
        list(value order by value) as sorted_values,
        quantile_cont(value, [0, 0.25, 0.5, 0.75, 1]) as quartiles

    from offered

    group by metric, profile

),

segment_members as (

    select
        metric,
        tier,
        size_band,
        count(*) as accounts,
        sum(exact_value) as total,
        list(value order by value) as sorted_values,
        quantile_cont(value, [0, 0.25, 0.5, 0.75, 1]) as quartiles

    from offered

    group by metric, tier, size_band

),

profile_peers as (

    select
        * exclude (sorted_values),
        {{ around_quartiles('sorted_values') }} as around

    from profile_members

),

segment_peers as (

    select
        * exclude (sorted_values),
        {{ around_quartiles('sorted_values') }} as around

    from segment_members

),

compared as (

    -- The account itself is left out of its peers.
    select
        members.account_id,
        registry.metric,
        registry.position,
        summed.* exclude (summed.account_id, summed.metric),
        coalesce(
            profile_peers.accounts - case when placed.account_id is null then 0 else 1 end, 0
        ) as profile_accounts,
        profile_peers.total - coalesce(placed.exact_value, 0) as profile_total,
        placed.profile_place,
        profile_peers.quartiles as profile_quartiles,
        profile_peers.around as profile_around,
        coalesce(
            segment_peers.accounts - case when placed.account_id is null then 0 else 1 end, 0
        ) as segment_accounts,
        segment_peers.total - coalesce(placed.exact_value, 0) as segment_total,
        placed.segment_place,
        segment_peers.quartiles as segment_quartiles,
        segment_peers.around as segment_around

    from members

    cross join registry

    left join summed
        on members.account_id = summed.account_id and registry.metric = summed.metric

    left join placed
        on members.account_id = placed.account_id and registry.metric = placed.metric

    left join profile_peers
        on registry.metric = profile_peers.metric and members.profile = profile_peers.profile

    left join segment_peers
        on
            registry.metric = segment_peers.metric
            and members.tier = segment_peers.tier
            and members.size_band = segment_peers.size_band

),

final as (

    select
        account_id,
        metric,
        position,
        value,
        value_30_days_before,
        cast(
            cast(value as decimal(28, 9)) - cast(value_30_days_before as decimal(28, 9)) as double
        ) as change_30d,
        value / nullif(value_30_days_before, 0) - 1 as change_30d_ratio,
        cast(sum_7d as double) / nullif(known_days_7d, 0) as mean_7d,
        coalesce(known_days_7d, 0) as known_days_7d,
        case
            when n_8w >= 7
                then
                    round(
                        7 * (n_8w * cast(xy_8w as double) - x_8w * cast(y_8w as double))
                        / nullif(n_8w * xx_8w - x_8w * x_8w, 0),
                        9
                    )
        end as slope_8_weeks,
        coalesce(n_8w, 0) as known_days_8_weeks,
        case
            when n_180d >= 7
                then
                    round(
                        7 * (n_180d * cast(xy_180d as double) - x_180d * cast(y_180d as double))
                        / nullif(n_180d * xx_180d - x_180d * x_180d, 0),
                        9
                    )
        end as slope_180_days,
        coalesce(n_180d, 0) as known_days_180_days,
        cast(profile_accounts as bigint) as profile_peer_accounts,
        case
            when profile_accounts >= 5 then cast(profile_total as double) / profile_accounts
        end as profile_peer_average,
        cast({{ peer_quartile('profile', 0) }} as double) as profile_peer_min,
        cast({{ peer_quartile('profile', 1) }} as double) as profile_peer_p25,
        cast({{ peer_quartile('profile', 2) }} as double) as profile_peer_median,
        cast({{ peer_quartile('profile', 3) }} as double) as profile_peer_p75,
        cast({{ peer_quartile('profile', 4) }} as double) as profile_peer_max,
        cast(segment_accounts as bigint) as segment_peer_accounts,
        case
            when segment_accounts >= 5 then cast(segment_total as double) / segment_accounts
        end as segment_peer_average,
        cast({{ peer_quartile('segment', 0) }} as double) as segment_peer_min,
        cast({{ peer_quartile('segment', 1) }} as double) as segment_peer_p25,
        cast({{ peer_quartile('segment', 2) }} as double) as segment_peer_median,
        cast({{ peer_quartile('segment', 3) }} as double) as segment_peer_p75,
        cast({{ peer_quartile('segment', 4) }} as double) as segment_peer_max

    from compared

)

select * from final
