-- One row per account, local day that no release has shown yet and basis
-- (int_health_days_profiled): the metrics that its conditions read as known then, the scores that
-- they get, and what they weigh, as lists with a place for each condition of its rule_set
-- (int_health_rules). A missing input gives its weight to the rest of its component, an empty
-- component to the others; a stale one fades (spec 50). Of a condition with parts the best one
-- counts. Lists, since a row per condition (20 times as many) would be sorted and written often.

{{ config(materialized='table') }}

with

metrics as not materialized (

    select * from {{ ref('account_metrics_daily') }}

),

scoped_metrics as (

    select * from {{ ref('account_scoped_metrics_daily') }}

),

days as (

    select * from {{ ref('int_health_days_profiled') }}

),

rule_sets as (

    select * from {{ ref('int_health_rules') }}

),

conditions as (

    select * from {{ ref('health_conditions') }}

),

watermarks as (

    select * from {{ ref('int_source_watermarks_daily') }}

),

recorded as (

    select * from {{ ref('stg_history__fct_health_conditions_daily') }}

),

-- The linter cannot read lists made of lists: what follows is laid out by hand.
-- noqa: disable=all

named_metrics as (

    select alias(columns(* exclude (account_id, day, account_status)))

    from metrics

    limit 1

),

metric_names as (

    select list_value(*columns(*)) as metric_names

    from named_metrics

),

read_days as (

    -- Joined by day, a scan passes over the days that no one asks for without reading them.
    select distinct input_day from days

),

numbers as (

    select
        metrics.account_id,
        metrics.day,
        cast(columns(metrics.* exclude (account_id, day, account_status)) as double)

    from metrics

    inner join read_days on metrics.day = read_days.input_day

),

numbered as (

    select
        *,
        row_number() over (order by rule_set) as number

    from rule_sets

),

asking as (

    -- One row, so that no day carries its rules along: a day has its rule set's number.
    select
        list(rules order by number) as rules_of,
        list([rule.first_read for rule in rules] order by number) as first_reads_of,
        list([rule.minimum_history_days for rule in rules] order by number)
            as minimum_history_days_of,
        list(len(rules) < len(reads) order by number) as have_parts,
        list(
            [
                case
                    when read.scope is null
                        then list_position(metric_names.metric_names, read.metric)
                    else len(metric_names.metric_names) + read.scope_place
                end
                for read in reads
            ]
            order by number
        ) as places_of

    from numbered

    cross join metric_names

),

weighing_of_rules as (

    select
        number,
        [
            struct_pack(
                condition := rule.condition,
                weight := rule.weight,
                first_place := rule.first_place,
                last_place := rule.last_place,
                component_weight := rule.component_weight
            )
            for rule in rules
        ] as weighing

    from numbered

),

rules_unnested as (

    select
        number,
        reads,
        unnest(rules) as rule

    from numbered

),

read_rules as (

    select
        number,
        reads,
        rule.fresh_days as fresh_days,
        rule.stale_days as stale_days,
        unnest(range(rule.first_read, rule.last_read + 1)) as place

    from rules_unnested

),

read_ages as (

    select
        read_rules.number,
        read_rules.place,
        read_rules.fresh_days,
        read_rules.stale_days,
        watermarks.day,
        watermarks.day - watermarks.watermark_on as days_without_data

    from read_rules

    inner join watermarks on read_rules.reads[read_rules.place].source_name = watermarks.source_name

),

fresh_reads as (

    -- How fresh what a source has said is on each day, at the place of each read.
    select
        number,
        day,
        map_from_entries(
            list(
                struct_pack(
                    place := place,
                    ratio := cast(
                        case
                            when days_without_data is null then 0
                            when days_without_data <= fresh_days then 1
                            when days_without_data >= stale_days then 0
                            else (stale_days - days_without_data) / (stale_days - fresh_days)
                        end as decimal(9, 6)
                    )
                )
            )
        ) as ratios

    from read_ages

    group by number, day

),

ratios_by_day as (

    select
        fresh_reads.number,
        fresh_reads.day,
        [
            coalesce(fresh_reads.ratios[cast(place as bigint)], 0)
            for place in range(1, len(numbered.reads) + 1)
        ] as read_ratios

    from fresh_reads

    inner join numbered on fresh_reads.number = numbered.number

),

reads_of_all as (

    select unnest(reads) as read

    from rule_sets

),

scoped_places as (

    select distinct
        read.metric,
        read.scope,
        read.scope_place

    from reads_of_all

    where read.scope is not null

),

input_days as (

    select distinct
        account_id,
        input_day

    from days

    where basis <> 'weights' and exists (select 1 from scoped_places)

),

scoped_values as (

    select
        input_days.account_id,
        input_days.input_day,
        list(scoped_metrics.value order by scoped_places.scope_place) as inputs

    from input_days

    cross join scoped_places

    left join scoped_metrics
        on
            input_days.account_id = scoped_metrics.account_id
            and input_days.input_day = scoped_metrics.day
            and scoped_places.metric = scoped_metrics.metric
            and scoped_places.scope = scoped_metrics.scope

    group by input_days.account_id, input_days.input_day

),

asked as (

    -- A join keeps one side at hand: the days, not the numbers, which become a list after it.
    select
        days.account_id,
        days.day,
        days.basis,
        days.profile,
        days.input_day,
        days.history_days,
        numbered.rule_set,
        numbered.number,
        list_value(*columns(numbers.* exclude (account_id, day))) as inputs

    from days

    inner join numbers
        on days.account_id = numbers.account_id and days.input_day = numbers.day

    inner join numbered
        on
            days.profile = numbered.profile
            and days.age_days >= numbered.min_age_days
            and days.age_days < numbered.until_age_days

    where days.basis <> 'weights'

),

asked_of_scopes as (

    select
        asked.* replace (list_concat(asked.inputs, scoped_values.inputs) as inputs)

    from asked

    left join scoped_values
        on
            asked.account_id = scoped_values.account_id
            and asked.input_day = scoped_values.input_day

),

read as (

    select
        asked.* exclude (inputs),
        asking.*,
        ratios_by_day.read_ratios,
        -- What is beyond twelve digits, some amounts in rupiah, is told as the most that there is.
        [
            coalesce(
                try_cast(asked.inputs[place] as decimal(18, 6)),
                cast(sign(asked.inputs[place]) * 999999999999 as decimal(18, 6))
            )
            for place in asking.places_of[asked.number]
        ] as read_values

    from asked_of_scopes as asked

    left join ratios_by_day
        on asked.number = ratios_by_day.number and asked.input_day = ratios_by_day.day

    cross join asking

),

chosen as (

    -- The first part stands for those that are all missing.
    select
        *,
        case
            when not have_parts[number] then first_reads_of[number]
            else
                [
                    rule.first_read - 1
                    + coalesce(
                        list_position(
                            read_values[rule.first_read:rule.last_read],
                            case rule.direction
                                when 'higher'
                                    then list_max(read_values[rule.first_read:rule.last_read])
                                else list_min(read_values[rule.first_read:rule.last_read])
                            end
                        ),
                        1
                    )
                    for rule in rules_of[number]
                ]
        end as reads

    from read

),

valued as (

    select
        *,
        [read_values[place] for place in reads] as metric_values,
        [history_days < asked_days for asked_days in minimum_history_days_of[number]]
            as are_warming_up

    from chosen

),

measured as materialized (

    -- Kept until every day's freshness is known: narrow, since it is written out where memory ends.
    select
        account_id,
        day,
        basis,
        number,
        history_days,
        cast(reads as smallint []) as reads,
        metric_values,
        [
            cast(
                case
                    when value is null or are_warming_up[place] then 0
                    else coalesce(read_ratios[reads[place]], 0)
                end as decimal(9, 6)
            )
            for value, place in metric_values
        ] as freshness_ratios

    from valued

),

remembered as (

    -- The day before with the day's weights: what a condition no longer has, it still had.
    select
        days.account_id,
        days.day,
        days.basis,
        recorded.profile,
        recorded.component,
        recorded.condition,
        recorded.metric_value,
        recorded.score,
        recorded.freshness_ratio,
        recorded.is_warming_up,
        coalesce(conditions.weight, recorded.nominal_weight) as weight,
        row_number() over (
            partition by days.account_id, days.day
            order by recorded.component, recorded.condition
        ) as place

    from days

    inner join recorded
        on days.account_id = recorded.account_id and days.input_day = recorded.day

    left join conditions
        on recorded.condition = conditions.condition and recorded.profile = conditions.profile

    where days.basis = 'weights'

),

remembered_components as (

    select
        *,
        min(place) over one_component as first_place,
        max(place) over one_component as last_place,
        sum(weight) over one_component as component_weight

    from remembered

    window one_component as (partition by account_id, day, component)

),

weighed_anew as (

    select
        account_id,
        day,
        basis,
        profile,
        list(
            struct_pack(
                condition := condition,
                weight := weight,
                first_place := cast(first_place as integer),
                last_place := cast(last_place as integer),
                component_weight := cast(component_weight as decimal(18, 6))
            )
            order by place
        ) as weighing,
        list(metric_value order by place) as metric_values,
        list(is_warming_up order by place) as are_warming_up,
        list(score order by place) as scores,
        list(freshness_ratio order by place) as freshness_ratios

    from remembered_components

    group by account_id, day, basis, profile

),

patterns as (

    -- Few days differ in how fresh each input is: what that makes the weights is worked out once.
    select distinct
        number,
        freshness_ratios

    from measured

),

to_be_weighed as (

    select
        patterns.number,
        weighing_of_rules.weighing,
        patterns.freshness_ratios

    from patterns

    inner join weighing_of_rules on patterns.number = weighing_of_rules.number

    union all

    select distinct
        cast(null as bigint) as number,
        weighing,
        freshness_ratios

    from weighed_anew

),

live as (

    select
        *,
        [
            cast(rule.weight * freshness_ratios[place] as decimal(18, 6))
            for rule, place in weighing
        ] as live_weights

    from to_be_weighed

),

component_weights as (

    -- A component's weight counts once, however many conditions share it: each carries its part.
    select
        *,
        [
            cast(list_sum(live_weights[rule.first_place:rule.last_place]) as decimal(18, 6))
            for rule in weighing
        ] as component_live_weights,
        list_sum([rule.weight for rule in weighing]) as profile_weight,
        list_sum(live_weights) as profile_live_weight,
        list_max([rule.condition for rule, place in weighing if live_weights[place] > 0])
            as last_condition

    from live

),

profile_weights as (

    select
        *,
        list_sum(
            [
                case when component_live_weights[place] > 0 then rule.weight else 0 end
                for rule, place in weighing
            ]
        ) as live_component_weight

    from component_weights

),

rounded as (

    select
        *,
        [
            cast(
                round_even(
                    case
                        when component_live_weights[place] > 0
                            then
                                rule.component_weight * live_weights[place]
                                / component_live_weights[place]
                        else 0
                    end
                    / nullif(live_component_weight, 0),
                    6
                ) as decimal(9, 6)
            )
            for rule, place in weighing
        ] as rounded_weights

    from profile_weights

),

weights as (

    -- Weights sum to 1 exactly: what rounding left goes to the last condition that has weight.
    select
        number,
        weighing,
        freshness_ratios,
        [
            cast(
                case
                    when coalesce(live_weights[place], 0) = 0 then 0
                    when rule.condition = last_condition
                        then rounded_weights[place] + 1 - list_sum(rounded_weights)
                    else rounded_weights[place]
                end as decimal(9, 6)
            )
            for rule, place in weighing
        ] as effective_weights,
        cast(profile_live_weight / nullif(profile_weight, 0) as decimal(9, 6)) as coverage

    from rounded

),

weighed as (

    select
        measured.* exclude (number),
        numbered.profile,
        numbered.rule_set,
        numbered.rules,
        weights.effective_weights,
        weights.coverage,
        [measured.history_days < rule.minimum_history_days for rule in numbered.rules]
            as are_warming_up

    from measured

    inner join numbered on measured.number = numbered.number

    inner join weights
        on
            measured.number = weights.number
            and measured.freshness_ratios = weights.freshness_ratios

),

scored as (

    select
        account_id,
        day,
        basis,
        profile,
        rule_set,
        reads,
        metric_values,
        [
            {{ health_score('one.value', 'one.') }}
            for one in [
                struct_pack(
                    value := case when not are_warming_up[place] then metric_values[place] end,
                    kind := rule.kind,
                    direction := rule.direction,
                    lower_edge := rule.lower_edge,
                    upper_edge := rule.upper_edge
                )
                for rule, place in rules
            ]
        ] as scores,
        freshness_ratios,
        effective_weights,
        coverage,
        are_warming_up

    from weighed

),

final as (

    select * from scored

    union all by name

    select
        weighed_anew.* exclude (weighing),
        weights.effective_weights,
        weights.coverage

    from weighed_anew

    inner join weights
        on
            weights.number is null
            and weighed_anew.weighing = weights.weighing
            and weighed_anew.freshness_ratios = weights.freshness_ratios

)

select * from final
