-- One row per account, local day and condition: what it read, its band, its weight and what it gave
-- to the score. The contributions sum to the day's raw score, to the last digit.

{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='append_new_columns',
    full_refresh=false,
    pre_hook="{{ forget_unshown(ref('stg_history__fct_health_conditions_daily')) }}",
) }}

with

recorded as (

    select * from {{ ref('stg_history__fct_health_conditions_daily') }}

),

conditions as (

    select * from {{ ref('int_health_conditions_scored') }}

    where basis = 'day'

),

health as (

    select * from {{ ref('int_account_health_scored') }}

),

-- The linter cannot read lists made of lists: what follows is laid out by hand.
-- noqa: disable=all

rule_sets as (

    select * from {{ ref('int_health_rules') }}

),

numbered as (

    -- Of conditions that have as many points at stake, the first by name goes first.
    select
        *,
        row_number() over (order by rule_set) as number,
        list_sort([rule.condition for rule in rules]) as names

    from rule_sets

),

ranked as (

    select
        rule_set,
        number,
        [len(names) - list_position(names, rule.condition) for rule in rules] as name_ranks

    from numbered

),

rules_unnested as (

    select
        number,
        good_from,
        average_from,
        reads,
        unnest(rules) as rule,
        unnest(range(1, len(rules) + 1)) as place

    from numbered

),

reads_unnested as (

    select
        *,
        unnest(reads) as read,
        unnest(range(1, len(reads) + 1)) as read_place

    from rules_unnested

),

asked as (

    -- By number, place and place of the read, so that a day carries none of its words along; as
    -- columns of their own, since a field taken from a struct is written out for every row.
    select
        number,
        place,
        read_place,
        good_from,
        average_from,
        rule.condition as condition,
        rule.component as component,
        rule.kind as kind,
        rule.direction as direction,
        rule.lower_edge as lower_edge,
        rule.upper_edge as upper_edge,
        rule.weight as nominal_weight,
        read.metric as metric,
        read.scope as scope

    from reads_unnested

),

at_stake as (

    -- What the reasons of a day need of its health, in few bytes: this is the side that the join
    -- with the day's lists keeps at hand.
    select
        account_id,
        day,
        cast({{ state_rank('state_before_override') }} as tinyint) as state_rank,
        coalesce(judged_by = 'rule', false) as is_by_rule,
        case state_before_override
            when 'poor' then average_from
            when 'average' then good_from
        end as next_edge,
        raw_score,
        cap_score

    from health

),

contributed as (

    select
        conditions.* exclude (basis, coverage, rule_set),
        ranked.number,
        ranked.name_ranks,
        at_stake.* exclude (account_id, day),
        [
            cast(weight * coalesce(conditions.scores[place], 0) as decimal(9, 6))
            for weight, place in conditions.effective_weights
        ] as contributions

    from conditions

    inner join at_stake
        on conditions.account_id = at_stake.account_id and conditions.day = at_stake.day

    inner join ranked on conditions.rule_set = ranked.rule_set

),

ranked_by_points as (

    -- What is at stake, in steps of a millionth, and among equals the name: points * 1000 + name.
    -- NULL for what has no weight. Doubles, since so many decimals multiply three times as slowly:
    -- six digits behind the point are whole again when rounded.
    select
        *,
        [
            case
                when weight > 0
                    then
                        cast(
                            cast(
                                case
                                    when state_rank = 3 then contributions[place]
                                    else weight * 100 - contributions[place]
                                end as double
                            ) * 1000000 as bigint
                        ) * 1000 + name_ranks[place]
            end
            for weight, place in effective_weights
        ] as ranks

    from contributed

),

topped as (

    select
        *,
        list_aggregate(ranks, 'max', 3) as top_ranks,
        cast((next_edge - raw_score) * 1000000 as bigint) as points_missing

    from ranked_by_points

),

asked_of_ranks as (

    -- Reasons by score: those of which full marks alone would change the state, else the three that
    -- cost the most points; for a good account the three that won the most. Never one with none.
    select
        *,
        case
            when state_rank is null or is_by_rule then null
            when
                state_rank < 3
                and top_ranks[1] // 1000 >= points_missing
                and coalesce(cap_score >= next_edge, true)
                then greatest(points_missing, 1) * 1000
            else greatest(top_ranks[3], 1000)
        end as rank_from,
        case when is_by_rule then ['poor', 'average', 'good'][state_rank] end as rule_state

    from topped

),

unnested as (

    select
        account_id,
        day,
        profile,
        number,
        rank_from,
        rule_state,
        unnest(range(1, len(scores) + 1)) as place,
        unnest(ranks) as point_rank,
        unnest(reads) as read_place,
        unnest(metric_values) as metric_value,
        unnest(scores) as score,
        unnest(freshness_ratios) as freshness_ratio,
        unnest(effective_weights) as effective_weight,
        unnest(contributions) as contribution,
        unnest(are_warming_up) as is_warming_up

    from asked_of_ranks

),

banded as (

    select
        unnested.* exclude (number, place, read_place),
        asked.* exclude (number, place, read_place, good_from, average_from),
        {{ health_band('unnested.score', 'asked.kind', 'asked.') }} as band

    from unnested

    inner join asked
        on
            unnested.number = asked.number
            and unnested.place = asked.place
            and unnested.read_place = asked.read_place

),

measured as (

    -- Reasons by rule: those whose band is the state's; for average, every one that isn't good.
    select
        account_id,
        day,
        condition,
        profile,
        component,
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
        effective_weight,
        contribution,
        coalesce(
            point_rank >= rank_from,
            point_rank is not null
            and case
                when rule_state = 'average' then band <> 'good'
                else band = rule_state
            end,
            false
        ) as influences_state,
        is_warming_up,
        '{{ var("configuration_version") }}' as configuration_version

    from banded

),

shown as (

    select * from measured

    union all by name

    select * from recorded

    where {{ not_kept() }}

),

final as (

    select
        account_id,
        day,
        condition,
        profile,
        component,
        coalesce(kind, 'bands') as kind,
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
        effective_weight,
        contribution,
        influences_state,
        is_warming_up,
        configuration_version

    from shown

)

select * from final
