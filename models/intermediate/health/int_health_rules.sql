-- One row per profile and span of ages under the same edges: what its conditions ask, as lists in
-- the order of component and condition. The lists of a day's health (int_health_conditions_scored)
-- have a place for each; `reads` has one for each metric that is read, `scope_place` numbers those
-- with a scope.

with

conditions as (

    select * from {{ ref('health_conditions') }}

),

parts as (

    select * from {{ ref('health_condition_parts') }}

),

thresholds as (

    select * from {{ ref('health_condition_thresholds') }}

),

profiles as (

    select * from {{ ref('health_profiles') }}

),

registry as (

    select * from {{ ref('metric_registry') }}

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

placed_reads as (

    select
        reads.*,
        coalesce(registry.source_name, 'events') as source_name,
        case
            when reads.scope is not null
                then
                    dense_rank() over (
                        partition by reads.scope is null order by reads.metric, reads.scope
                    )
        end as scope_place

    from reads

    left join registry on reads.metric = registry.metric and reads.scope is null

),

reads_listed as (

    select
        condition,
        list(
            struct_pack(
                metric := metric,
                scope := scope,
                scope_place := cast(scope_place as integer),
                source_name := source_name
            )
            order by part
        ) as reads,
        count(*) as read_count

    from placed_reads

    group by condition

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
        lead(min_age_days, 1, 1000000) over (
            partition by condition order by min_age_days
        ) as until_age_days

    from edges

),

ages as (

    select distinct
        conditions.profile,
        edges.min_age_days

    from edges

    inner join conditions on edges.condition = conditions.condition

),

spans as (

    select
        profile,
        min_age_days,
        lead(min_age_days, 1, 1000000) over (
            partition by profile order by min_age_days
        ) as until_age_days

    from ages

),

placed as (

    select
        spans.profile,
        spans.min_age_days,
        spans.until_age_days,
        conditions.condition,
        conditions.component,
        conditions.kind,
        conditions.direction,
        conditions.weight,
        conditions.fresh_days,
        conditions.stale_days,
        conditions.minimum_history_days,
        edges_by_age.lower_edge,
        edges_by_age.upper_edge,
        reads_listed.reads,
        reads_listed.read_count,
        row_number() over one_span as place,
        sum(reads_listed.read_count) over one_span as last_read

    from spans

    inner join conditions on spans.profile = conditions.profile

    inner join edges_by_age
        on
            conditions.condition = edges_by_age.condition
            and spans.min_age_days >= edges_by_age.min_age_days
            and spans.min_age_days < edges_by_age.until_age_days

    inner join reads_listed on conditions.condition = reads_listed.condition

    window
        one_span as (
            partition by spans.profile, spans.min_age_days
            order by conditions.component, conditions.condition
            rows unbounded preceding
        )

),

components as (

    select
        *,
        min(place) over one_component as first_place,
        max(place) over one_component as last_place,
        sum(weight) over one_component as component_weight

    from placed

    window one_component as (partition by profile, min_age_days, component)

),

listed as (

    select
        profile,
        min_age_days,
        until_age_days,
        list(
            struct_pack(
                condition := condition,
                component := component,
                kind := kind,
                direction := direction,
                lower_edge := lower_edge,
                upper_edge := upper_edge,
                weight := weight,
                fresh_days := fresh_days,
                stale_days := stale_days,
                minimum_history_days := minimum_history_days,
                first_read := cast(last_read - read_count + 1 as integer),
                last_read := cast(last_read as integer),
                first_place := cast(first_place as integer),
                last_place := cast(last_place as integer),
                component_weight := cast(component_weight as decimal(18, 6))
            )
            order by place
        ) as rules,
        flatten(list(reads order by place)) as reads

    from components

    group by profile, min_age_days, until_age_days

),

final as (

    select
        listed.profile || ' from day ' || listed.min_age_days as rule_set,
        listed.profile,
        listed.min_age_days,
        listed.until_age_days,
        profiles.good_from,
        profiles.average_from,
        listed.rules,
        listed.reads

    from listed

    inner join profiles on listed.profile = profiles.profile

)

select * from final
