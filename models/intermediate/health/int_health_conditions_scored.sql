-- One row per account, local day that no release has shown yet, basis (int_health_days_profiled)
-- and condition: the metric as known then, the score that it gets, and what the condition weighs. A
-- missing input gives its weight to the rest of its component, an empty component to the others; a
-- stale one fades (spec 50). Of a condition with parts the best one counts.

{{ config(materialized='table') }}

with

metrics as (

    select * from {{ ref('account_metrics_daily') }}

),

scoped_metrics as (

    select * from {{ ref('account_scoped_metrics_daily') }}

),

days as (

    select * from {{ ref('int_health_days_profiled') }}

),

profiles as (

    select * from {{ ref('health_profiles') }}

),

conditions as (

    select * from {{ ref('health_conditions') }}

),

parts as (

    select * from {{ ref('health_condition_parts') }}

),

thresholds as (

    select * from {{ ref('health_condition_thresholds') }}

),

registry as (

    select * from {{ ref('metric_registry') }}

),

watermarks as (

    select * from {{ ref('int_source_watermarks_daily') }}

),

recorded as (

    select * from {{ ref('stg_history__fct_health_conditions_daily') }}

),

reads as (

    select
        condition,
        1 as part,
        metric,
        scope
    from conditions
    where kind is distinct from 'any_of'
    union all
    select
        condition,
        part,
        metric,
        scope
    from parts

),

edges as (

    select
        condition,
        0 as min_age_days,
        lower_edge,
        upper_edge
    from conditions
    union all
    select
        condition,
        min_age_days,
        lower_edge,
        upper_edge
    from thresholds

),

edges_by_age as (

    select
        *,
        coalesce(
            lead(min_age_days) over (partition by condition order by min_age_days), 1000000
        ) as until_age_days

    from edges

),

asked as (

    select
        conditions.* exclude (
            conditions.metric,
            conditions.scope,
            conditions.lower_edge,
            conditions.upper_edge,
            conditions.sentence,
            conditions.weight
        ),
        conditions.weight as nominal_weight,
        edges_by_age.lower_edge,
        edges_by_age.upper_edge,
        edges_by_age.min_age_days,
        edges_by_age.until_age_days,
        reads.part,
        reads.metric,
        reads.scope,
        coalesce(registry.source_name, 'events') as source_name,
        profiles.good_from,
        profiles.average_from

    from conditions

    inner join profiles on conditions.profile = profiles.profile

    inner join edges_by_age on conditions.condition = edges_by_age.condition

    inner join reads on conditions.condition = reads.condition

    left join registry on reads.metric = registry.metric and reads.scope is null

),

wide as (

    select
        days.account_id,
        days.day,
        days.basis,
        days.profile,
        days.age_days,
        days.input_day,
        days.history_days,
        metrics.* exclude (metrics.account_id, metrics.day, metrics.account_status)

    from days

    inner join metrics on days.account_id = metrics.account_id and days.input_day = metrics.day

    where days.basis <> 'weights'

),

numbers as (

    select
        account_id,
        day,
        basis,
        profile,
        age_days,
        input_day,
        history_days,
        cast(
            columns(
                * exclude (account_id, day, basis, profile, age_days, input_day, history_days)
            ) as double
        )

    from wide

),

measured as (

    select *

    from
        numbers
    unpivot include nulls (
        value for metric in (
            columns(
                * exclude (account_id, day, basis, profile, age_days, input_day, history_days)
            )
        )
    )

),

valued as (

    select
        measured.account_id,
        measured.day,
        measured.basis,
        measured.input_day,
        measured.history_days,
        cast(measured.value as decimal(18, 6)) as metric_value,
        asked.*

    from measured

    inner join asked
        on
            measured.profile = asked.profile
            and measured.metric = asked.metric
            and measured.age_days >= asked.min_age_days
            and measured.age_days < asked.until_age_days

    where asked.scope is null

    union all

    select
        days.account_id,
        days.day,
        days.basis,
        days.input_day,
        days.history_days,
        cast(scoped_metrics.value as decimal(18, 6)) as metric_value,
        asked.*

    from days

    inner join asked
        on
            days.profile = asked.profile
            and days.age_days >= asked.min_age_days
            and days.age_days < asked.until_age_days

    left join scoped_metrics
        on
            days.account_id = scoped_metrics.account_id
            and days.input_day = scoped_metrics.day
            and asked.metric = scoped_metrics.metric
            and asked.scope = scoped_metrics.scope

    where asked.scope is not null and days.basis <> 'weights'

),

best_parts as (

    -- The first part stands for those that are all missing.
    select
        account_id,
        day,
        basis,
        condition,
        min_by(
            part,
            struct_pack(
                is_missing := metric_value is null,
                distance := case direction when 'higher' then -metric_value else metric_value end,
                part := part
            )
        ) as part

    from valued

    where kind = 'any_of'

    group by account_id, day, basis, condition

),

chosen as (

    select * from valued

    where kind is distinct from 'any_of'

    union all

    select valued.*

    from valued

    inner join best_parts
        on
            valued.account_id = best_parts.account_id
            and valued.day = best_parts.day
            and valued.basis = best_parts.basis
            and valued.condition = best_parts.condition
            and valued.part = best_parts.part

),

judged as (

    select
        chosen.*,
        chosen.input_day - watermarks.watermark_on as days_without_data,
        chosen.history_days < chosen.minimum_history_days as is_warming_up

    from chosen

    left join watermarks
        on chosen.source_name = watermarks.source_name and chosen.input_day = watermarks.day

),

scored as (

    select
        *,
        case when not is_warming_up then {{ health_score('metric_value') }} end as score,
        case
            when metric_value is null or is_warming_up or days_without_data is null then 0
            when days_without_data <= fresh_days then 1
            when days_without_data >= stale_days then 0
            else (stale_days - days_without_data) / (stale_days - fresh_days)
        end as freshness

    from judged

),

banded as (

    select
        account_id,
        day,
        basis,
        profile,
        component,
        condition,
        kind,
        metric,
        scope,
        metric_value,
        direction,
        lower_edge,
        upper_edge,
        case
            when kind = 'linear' then {{ health_state('score') }}
            when score = 100 then 'good'
            when score = 50 then 'average'
            when score = 0 then 'poor'
        end as band,
        score,
        nominal_weight,
        cast(freshness as decimal(9, 6)) as freshness_ratio,
        is_warming_up

    from scored

    union all by name

    -- The day before with the day's weights: what a condition no longer has, it still had.
    select
        recorded.account_id,
        days.day,
        days.basis,
        recorded.profile,
        recorded.component,
        recorded.condition,
        recorded.metric,
        recorded.metric_value,
        recorded.direction,
        recorded.lower_edge,
        recorded.upper_edge,
        recorded.band,
        recorded.score,
        coalesce(conditions.weight, recorded.nominal_weight) as nominal_weight,
        recorded.freshness_ratio,
        recorded.is_warming_up

    from days

    inner join recorded
        on days.account_id = recorded.account_id and days.input_day = recorded.day

    left join conditions
        on recorded.condition = conditions.condition and recorded.profile = conditions.profile

    where days.basis = 'weights'

),

weighed as (

    select
        *,
        cast(nominal_weight * freshness_ratio as decimal(18, 6)) as live_weight

    from banded

),

component_weights as (

    select
        *,
        sum(nominal_weight) over (
            partition by account_id, day, basis, component
        ) as component_weight,
        sum(live_weight) over (
            partition by account_id, day, basis, component
        ) as component_live_weight

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
        sum(nominal_weight) over one_day as profile_weight,
        sum(live_weight) over one_day as profile_live_weight,
        sum(case when component_live_weight > 0 then nominal_weight else 0 end)
            over one_day as live_component_weight,
        max(case when live_weight > 0 then condition end) over one_day as last_condition

    from component_weights

    window one_day as (partition by account_id, day, basis)

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
        basis,
        profile,
        component,
        condition,
        kind,
        metric,
        scope,
        metric_value,
        direction,
        lower_edge,
        upper_edge,
        band,
        score,
        nominal_weight,
        freshness_ratio,
        cast(
            case
                when coalesce(live_weight, 0) = 0 then 0
                when condition = last_condition
                    then
                        rounded_weight + 1
                        - sum(rounded_weight) over (partition by account_id, day, basis)
                else rounded_weight
            end as decimal(9, 6)
        ) as effective_weight,
        cast(profile_live_weight / nullif(profile_weight, 0) as decimal(9, 6)) as coverage,
        is_warming_up

    from rounded

)

select * from final
