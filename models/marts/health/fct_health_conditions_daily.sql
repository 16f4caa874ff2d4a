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

contributed as (

    select
        conditions.*,
        rule_sets.rules,
        rule_sets.reads as all_reads,
        health.state_before_override as state,
        health.judged_by,
        health.raw_score,
        health.cap_score,
        [
            cast(weight * coalesce(conditions.scores[place], 0) as decimal(9, 6))
            for weight, place in conditions.effective_weights
        ] as contributions,
        case health.state_before_override
            when 'poor' then health.average_from
            when 'average' then health.good_from
        end as next_edge

    from conditions

    inner join health
        on conditions.account_id = health.account_id and conditions.day = health.day

    inner join rule_sets on conditions.rule_set = rule_sets.rule_set

),

compared as (

    select
        *,
        [
            case
                when state = 'good' then contributions[place]
                else weight * 100 - contributions[place]
            end
            for weight, place in effective_weights
        ] as points_at_stake,
        [
            coalesce(
                state in ('poor', 'average')
                and weight * 100 > contributions[place]
                and least(raw_score + weight * 100 - contributions[place], cap_score) >= next_edge,
                false
            )
            for weight, place in effective_weights
        ] as would_change_state

    from contributed

),

ordered as (

    select
        *,
        list_contains(would_change_state, true) as one_would_do,
        [
            one.condition
            for one in list_sort(
                [
                    struct_pack(points := -points, condition := rules[place].condition)
                    for points, place in points_at_stake if effective_weights[place] > 0
                ]
            )[1:3]
        ] as first_three

    from compared

),

reasoned as (

    -- Reasons by score: those of which full marks alone would change the state, else the three that
    -- cost the most points; for a good account the three that won the most. By rule: those whose
    -- band is the state's; for average, every one that isn't good.
    select
        *,
        [
            coalesce(
                state <> 'unknown'
                and effective_weights[place] > 0
                and case
                    when judged_by = 'rule' and state = 'average' then bands[place] <> 'good'
                    when judged_by = 'rule' then bands[place] = state
                    when points_at_stake[place] = 0 then false
                    when one_would_do then would_change_state[place]
                    else list_contains(first_three, rule.condition)
                end,
                false
            )
            for rule, place in rules
        ] as influences

    from ordered

),

unnested as (

    select
        account_id,
        day,
        profile,
        unnest(rules) as rule,
        unnest([all_reads[place] for place in reads]) as read,
        unnest(metric_values) as metric_value,
        unnest(bands) as band,
        unnest(scores) as score,
        unnest(freshness_ratios) as freshness_ratio,
        unnest(effective_weights) as effective_weight,
        unnest(contributions) as contribution,
        unnest(influences) as influences_state,
        unnest(are_warming_up) as is_warming_up

    from reasoned

),

measured as (

    select
        account_id,
        day,
        rule.condition,
        profile,
        rule.component,
        rule.kind,
        read.metric,
        read.scope,
        metric_value,
        rule.direction,
        rule.lower_edge,
        rule.upper_edge,
        band,
        score,
        rule.weight as nominal_weight,
        freshness_ratio,
        effective_weight,
        contribution,
        influences_state,
        is_warming_up,
        '{{ var("configuration_version") }}' as configuration_version

    from unnested

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
