-- One row per account with health and local day that no release has shown yet: its key figures as
-- known at the day's end, from the health and the metrics that are shown for the day. Days to a
-- renewal count from the day's end, as in renewal_risk; on the day of a renewal it is that one.

with

health as not materialized (

    select * from {{ ref('fct_account_health_daily') }}

),

metrics as not materialized (

    select * from {{ ref('account_metrics_daily') }}

),

recorded as (

    select * from {{ ref('stg_history__account_kpis_daily') }}

),

features as (

    select * from {{ ref('int_features_entitled') }}

),

engagement as (

    select * from {{ ref('int_engagement_scored') }}

),

companies as (

    select
        account_id,
        {{ local_day('onboarding_started_at') }} as onboarding_on,
        {{ local_day('created_at') }} as created_on,
        {{ known_day('known_from') }} as first_day,
        {{ known_day('known_until') }} - 1 as last_day

    from {{ ref('int_companies_known') }}

    where not is_lead

),

use_days as (

    select * from {{ ref('int_use_days') }}

),

event_type_days as (

    select * from {{ ref('int_event_type_days') }}

),

value_events as (

    select * from {{ ref('value_events') }}

),

watermarks as (

    select * from {{ ref('int_source_watermarks_daily') }}

    where source_name = 'events'

),

entitlements as (

    select
        *,
        {{ local_day('valid_from') }} as first_day,
        coalesce({{ known_day('least(valid_to, deleted_at)') }} - 1, cast('9999-01-01' as date))
            as last_day

    from {{ ref('stg_crm__entitlements') }}

    where limit_quantity > 0 and usage_metric is not null

),

owners as (

    select * from {{ ref('int_account_owners') }}

),

phases as (

    select
        *,
        {{ local_day('starts_at') }} as first_day,
        coalesce({{ known_day('ends_at') }} - 1, cast('9999-01-01' as date)) as last_day

    from {{ ref('int_subscription_phases') }}

    where policy = 'standard' and phase = 'paid'

),

risk_settings as (

    {{ renewal_risk_settings() }}

),

expansion_points as (

    {{ expansion_settings() }}

),

asked_from as (

    select coalesce(max(day) + 1, cast('1900-01-01' as date)) as first_day from recorded

),

asked_days as (

    -- Joined by day, a scan passes over what was shown without reading it.
    select distinct health.day

    from health

    inner join asked_from on health.day >= asked_from.first_day

),

days as (

    select
        health.account_id,
        health.day,
        health.score,
        health.slope,
        metrics.account_status,
        metrics.active_seats,
        metrics.purchased_seats,
        metrics.seat_adoption_ratio,
        metrics.days_to_renewal,
        metrics.days_overdue,
        metrics.days_since_last_touch,
        metrics.interactions_30d,
        metrics.tenure_days,
        metrics.contacts_engaged_30d,
        metrics.departments_engaged_30d

    from health

    inner join asked_days on health.day = asked_days.day

    inner join metrics on health.account_id = metrics.account_id and health.day = metrics.day

),

happened as (

    select
        account_id,
        'module' as kind,
        module as name,
        day,
        first_day
    from use_days
    where module <> '(none)'
    union all
    select
        account_id,
        'feature' as kind,
        feature as name,
        day,
        first_day
    from use_days
    where feature <> '(none)'
    union all
    select
        account_id,
        'event' as kind,
        event_name as name,
        day,
        first_day
    from event_type_days
    where event_name is not null

),

arrived as (

    -- What was known before the first day that is asked for is one row.
    select
        happened.account_id,
        greatest(happened.first_day, asked_from.first_day) as first_day,
        min(happened.day) as day

    from happened

    cross join asked_from

    inner join value_events
        on happened.kind = value_events.kind and value_events.name in (happened.name, '*')

    group by happened.account_id, greatest(happened.first_day, asked_from.first_day)

),

arrived_before as (

    select
        *,
        min(day) over (
            partition by account_id
            order by first_day
            rows between unbounded preceding and 1 preceding
        ) as day_before

    from arrived

),

arrivals as (

    -- What lands late can move an arrival back; the days before stay as they were known.
    select
        account_id,
        day as first_value_on,
        first_day,
        lead(first_day, 1, cast('9999-01-01' as date)) over (
            partition by account_id order by first_day
        ) - 1 as last_day

    from arrived_before

    where day_before is null or day < day_before

),

limits_told as (

    select
        entitlements.usage_metric,
        entitlements.limit_quantity,
        entitlements.first_day,
        entitlements.last_day,
        {{ under_owner('entitlements') }}

    from entitlements

    left join owners on entitlements.account_id = owners.account_id

    where entitlements.account_id is not null and ({{ is_told_under_owner('entitlements') }})

    union all by name

    select
        phases.account_id,
        entitlements.usage_metric,
        entitlements.limit_quantity,
        greatest(entitlements.first_day, phases.first_day) as first_day,
        least(entitlements.last_day, phases.last_day) as last_day,
        greatest(entitlements.known_from, phases.known_from) as known_from,
        least(entitlements.known_until, phases.known_until) as known_until,
        entitlements.is_latest and phases.is_latest as is_latest

    from entitlements

    inner join phases
        on
            lower(entitlements.plan) = lower(phases.plan)
            and entitlements.known_from < phases.known_until
            and entitlements.known_until > phases.known_from

    where entitlements.account_id is null

),

limits as (

    select
        account_id,
        usage_metric,
        limit_quantity,
        greatest(first_day, {{ known_day('known_from') }}) as first_day,
        least(last_day, {{ known_day('known_until') }} - 1) as last_day

    from limits_told

),

limited as (

    select metrics.*

    from metrics

    inner join asked_days on metrics.day = asked_days.day

    semi join limits on metrics.account_id = limits.account_id

),

told as (

    select
        account_id,
        day,
        metric,
        value

    from (
        unpivot limited
        on cast(columns(* exclude (account_id, day, account_status)) as double)
        into name metric value value
    )

),

limits_used as (

    select
        told.account_id,
        told.day,
        max(told.value / limits.limit_quantity) as limit_used_ratio

    from told

    inner join limits
        on
            told.account_id = limits.account_id
            and told.metric = limits.usage_metric
            and told.day between limits.first_day and limits.last_day

    group by told.account_id, told.day

),

started as (

    -- As time_to_value has it: tenure counts from the first trial or paid day, else from creation.
    select
        days.*,
        coalesce(
            case when companies.onboarding_on <= days.day then companies.onboarding_on end,
            case
                when days.tenure_days > 0 or companies.created_on <= days.day
                    then days.day - cast(days.tenure_days as integer)
            end
        ) as started_on

    from days

    left join companies
        on
            days.account_id = companies.account_id
            and days.day between companies.first_day and companies.last_day

),

with_arrivals as (

    select
        started.*,
        arrivals.first_value_on

    from started

    left join arrivals
        on
            started.account_id = arrivals.account_id
            and started.day between arrivals.first_day and arrivals.last_day

),

featured as (

    -- Of the keys alone: such a join sorts what it carries.
    select
        days.account_id,
        days.day,
        features.entitled_features,
        features.entitled_features_used

    from days

    asof inner join features
        on days.account_id = features.account_id and days.day >= features.day

),

with_features as (

    select
        with_arrivals.*,
        nullif(featured.entitled_features, 0) as entitled_features,
        featured.entitled_features_used

    from with_arrivals

    left join featured
        on with_arrivals.account_id = featured.account_id and with_arrivals.day = featured.day

),

pointed as (

    select
        with_features.*,
        watermarks.day is not null as has_events,
        engagement.engagement_score,
        cast(
            {{ renewal_risk_points('with_features', 'with_features', 'risk_settings') }}
            as decimal(9, 6)
        ) as points_at_hand,
        cast(
            {{ renewal_proximity('(with_features.days_to_renewal - 1)', 'risk_settings') }}
            as decimal(9, 6)
        ) as proximity_ratio,
        risk_settings.medium_from,
        risk_settings.high_from,
        case
            when with_features.account_status in ('customer', 'past_due')
                then
                    case
                        when
                            with_features.score >= expansion_points.score_from
                            and with_features.slope > 0
                            then expansion_points.health_points
                        else 0
                    end
                    + case
                        when limits_used.limit_used_ratio >= expansion_points.limit_ratio
                            then expansion_points.limit_points
                        else 0
                    end
                    + case
                        when
                            with_features.contacts_engaged_30d >= expansion_points.contacts_from
                            or with_features.departments_engaged_30d
                            >= expansion_points.departments_from
                            then expansion_points.people_points
                        else 0
                    end
        end as expansion_score

    from with_features

    cross join risk_settings

    cross join expansion_points

    left join engagement
        on
            with_features.account_id = engagement.account_id and with_features.day = engagement.day

    left join limits_used
        on
            with_features.account_id = limits_used.account_id
            and with_features.day = limits_used.day

    left join watermarks on with_features.day = watermarks.day

),

risked as (

    select
        *,
        cast(round(points_at_hand * proximity_ratio, 6) as decimal(9, 6)) as renewal_risk_points

    from pointed

),

final as (

    select
        account_id,
        day,
        score as health_score,
        active_seats,
        purchased_seats,
        seat_adoption_ratio,
        case when has_events and entitled_features is not null then entitled_features_used end
            as entitled_features_used,
        entitled_features,
        case when has_events then entitled_features_used / entitled_features end
            as feature_adoption_ratio,
        case
            when started_on is not null
                then cast(greatest(coalesce(first_value_on, day + 1) - started_on, 0) as bigint)
        end as time_to_value_days,
        started_on is not null and first_value_on is null as is_time_to_value_censored,
        day + cast(days_to_renewal as integer) as renewal_on,
        renewal_risk_points,
        {{ renewal_risk_band('renewal_risk_points') }} as renewal_risk_band,
        cast(expansion_score as decimal(9, 6)) as expansion_score,
        case when has_events then engagement_score end as engagement_score

    from risked

)

select * from final
