-- One row per account, local day and component: what its conditions gave to the score together.

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

    where {{ not_kept() }}

),

conditions as not materialized (

    select * from {{ ref('int_health_conditions_scored') }}

    where basis = 'day'

),

-- The linter cannot read lists made of lists: what follows is laid out by hand.
-- noqa: disable=all

rule_sets as (

    select * from {{ ref('int_health_rules') }}

),

patterns as (

    -- Weight and coverage follow from how fresh each input is, in which few days differ.
    select distinct
        rule_set,
        freshness_ratios,
        effective_weights

    from conditions

),

components as (

    select
        rule_set,
        rules,
        unnest(list_distinct([rule.first_place for rule in rules])) as first_place

    from rule_sets

),

parted as (

    -- A component's conditions stand side by side.
    select
        components.rule_set,
        patterns.freshness_ratios,
        components.rules[components.first_place].component as component,
        components.first_place,
        components.rules[components.first_place].last_place as last_place,
        list_sum(
            patterns.effective_weights[
                components.first_place:components.rules[components.first_place].last_place
            ]
        ) as weight,
        list_sum(
            [
                cast(rule.weight * patterns.freshness_ratios[place] as decimal(18, 12))
                for rule, place in components.rules
                if rule.first_place = components.first_place
            ]
        ) as fresh_weight,
        list_sum(
            [
                rule.weight
                for rule in components.rules if rule.first_place = components.first_place
            ]
        ) as nominal_weight,
        {{ ratio_of_six_digits('fresh_weight', 'nominal_weight', digits=12) }} as coverage

    from components

    inner join patterns on components.rule_set = patterns.rule_set

),

contributed as (

    select
        account_id,
        day,
        profile,
        rule_set,
        freshness_ratios,
        [
            cast(weight * coalesce(scores[place], 0) as decimal(9, 6))
            for weight, place in effective_weights
        ] as contributions

    from conditions

),

summed as (

    select
        contributed.account_id,
        contributed.day,
        parted.component,
        contributed.profile,
        list_sum(contributed.contributions[parted.first_place:parted.last_place])
            as contribution,
        parted.weight,
        parted.coverage,
        parted.last_place - parted.first_place + 1 as condition_count

    from contributed

    inner join parted
        on
            contributed.rule_set = parted.rule_set
            and contributed.freshness_ratios = parted.freshness_ratios

    union all

    select
        account_id,
        day,
        component,
        profile,
        sum(contribution) as contribution,
        sum(effective_weight) as weight,
        {{ ratio_of_six_digits(
            'sum(nominal_weight * freshness_ratio)', 'sum(nominal_weight)', digits=12
        ) }} as coverage,
        count(*) as condition_count

    from recorded

    group by account_id, day, component, profile

),

final as (

    select
        account_id,
        day,
        component,
        profile,
        {{ ratio_of_six_digits('contribution', 'weight', digits=6) }} as score,
        cast(weight as decimal(9, 6)) as weight,
        cast(contribution as decimal(9, 6)) as contribution,
        cast(coverage as decimal(9, 6)) as coverage,
        cast(condition_count as bigint) as condition_count

    from summed

)

select * from final
