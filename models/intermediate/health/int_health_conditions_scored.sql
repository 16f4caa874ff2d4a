-- One row per account, local day and condition that no release has shown yet: the metric as known
-- then, the band that it falls into, and what the condition weighs. A missing input gives its
-- weight to the rest of its component, an empty component to the others; a stale one fades (spec
-- 50). A lead has no health.

{{ config(materialized='table') }}

with

metrics as (

    select * from {{ ref('account_metrics_daily') }}

),

shown as (

    select * from {{ ref('stg_history__fct_account_health_daily') }}

),

first_days as (

    select * from {{ ref('int_account_first_days') }}

),

conditions as (

    select * from {{ ref('health_conditions') }}

),

registry as (

    select * from {{ ref('metric_registry') }}

),

watermarks as (

    select * from {{ ref('int_source_watermarks_daily') }}

),

leads as (

    select
        account_id,
        {{ known_day('known_from') }} as first_day,
        {{ known_day('known_until') }} - 1 as last_day

    from {{ ref('int_companies_known') }}

    where is_lead

),

last_shown as (

    select coalesce(max(day), cast('1900-01-01' as date)) as last_day from shown

),

unshown as (

    select metrics.*

    from metrics

    inner join last_shown on metrics.day > last_shown.last_day

    left join leads
        on
            metrics.account_id = leads.account_id
            and metrics.day between leads.first_day and leads.last_day

    where leads.account_id is null

),

aged as (

    -- Days of history as they were known on the day.
    select
        unshown.account_id,
        unshown.day,
        unshown.day - first_days.first_day + 1 as history_days

    from unshown

    asof inner join first_days
        on unshown.account_id = first_days.account_id and unshown.day >= first_days.known_day

),

measured as (

    select
        account_id,
        day,
        metric,
        value

    from (
        unpivot unshown
        on cast(columns(* exclude (account_id, day, account_status)) as double)
        into name metric value value
    )

),

judged as (

    select
        aged.account_id,
        aged.day,
        conditions.profile,
        conditions.component,
        conditions.condition,
        conditions.metric,
        conditions.direction,
        conditions.lower_edge,
        conditions.upper_edge,
        conditions.weight as nominal_weight,
        conditions.fresh_days,
        conditions.stale_days,
        cast(measured.value as decimal(18, 6)) as metric_value,
        aged.day - watermarks.watermark_on as days_without_data,
        aged.history_days < conditions.minimum_history_days as is_warming_up

    from aged

    cross join conditions

    inner join registry on conditions.metric = registry.metric

    left join measured
        on
            aged.account_id = measured.account_id
            and aged.day = measured.day
            and conditions.metric = measured.metric

    left join watermarks
        on registry.source_name = watermarks.source_name and aged.day = watermarks.day

),

banded as (

    -- A band holds its lower edge.
    select
        *,
        case
            when metric_value is null or is_warming_up then null
            when direction = 'higher' and metric_value >= upper_edge then 'good'
            when direction = 'higher' and metric_value >= lower_edge then 'average'
            when direction = 'higher' then 'poor'
            when metric_value < lower_edge then 'good'
            when metric_value < upper_edge then 'average'
            else 'poor'
        end as band,
        case
            when metric_value is null or is_warming_up or days_without_data is null then 0
            when days_without_data <= fresh_days then 1
            when days_without_data >= stale_days then 0
            else (stale_days - days_without_data) / (stale_days - fresh_days)
        end as freshness

    from judged

),

weighed as (

    select
        *,
        cast(freshness as decimal(9, 6)) as freshness_ratio,
        cast(nominal_weight * cast(freshness as decimal(9, 6)) as decimal(18, 6)) as live_weight

    from banded

),

component_weights as (

    select
        *,
        sum(nominal_weight) over (partition by account_id, day, component) as component_weight,
        sum(live_weight) over (partition by account_id, day, component) as component_live_weight

    from weighed

),

profile_weights as (

    -- A component's weight counts once, however many conditions share it: each carries its part.
    select
        *,
        case
            when component_live_weight > 0
                then component_weight * live_weight / component_live_weight
            else 0
        end as shared_weight,
        sum(nominal_weight) over (partition by account_id, day) as profile_weight,
        sum(live_weight) over (partition by account_id, day) as profile_live_weight,
        sum(case when component_live_weight > 0 then nominal_weight else 0 end) over (
            partition by account_id, day
        ) as live_component_weight

    from component_weights

),

rounded as (

    select
        *,
        cast(
            round_even(shared_weight / nullif(live_component_weight, 0), 6) as decimal(9, 6)
        ) as rounded_weight

    from profile_weights

),

final as (

    -- Weights sum to 1 exactly: what rounding left goes to the last condition that has weight.
    select
        account_id,
        day,
        profile,
        component,
        condition,
        metric,
        metric_value,
        direction,
        lower_edge,
        upper_edge,
        band,
        cast(
            case band when 'good' then 100 when 'average' then 50 when 'poor' then 0 end
            as decimal(9, 6)
        ) as score,
        nominal_weight,
        freshness_ratio,
        cast(
            case
                when live_weight = 0 or live_weight is null then 0
                when
                    condition = max(case when live_weight > 0 then condition end) over (
                        partition by account_id, day
                    )
                    then
                        rounded_weight + 1
                        - sum(rounded_weight) over (partition by account_id, day)
                else rounded_weight
            end as decimal(9, 6)
        ) as effective_weight,
        cast(profile_live_weight / profile_weight as decimal(9, 6)) as coverage,
        is_warming_up

    from rounded

)

select * from final
