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

conditions as (

    select * from {{ ref('int_health_conditions_scored') }}

    where basis = 'day'

),

-- The linter cannot read lists made of lists: what follows is laid out by hand.
-- noqa: disable=all

rule_sets as (

    select * from {{ ref('int_health_rules') }}

),

parted as (

    -- A component's conditions stand side by side: one list of its weights, one of its shares.
    select
        rule_set,
        list_distinct([rule.first_place for rule in rules]) as first_places,
        [rule.component for rule in rules] as components,
        [rule.last_place for rule in rules] as last_places,
        [rule.weight for rule in rules] as nominal_weights

    from rule_sets

),

weighed as (

    select
        conditions.account_id,
        conditions.day,
        conditions.profile,
        parted.first_places,
        parted.last_places,
        parted.components,
        parted.nominal_weights,
        conditions.effective_weights,
        [
            cast(weight * coalesce(conditions.scores[place], 0) as decimal(9, 6))
            for weight, place in conditions.effective_weights
        ] as contributions,
        [
            cast(weight * conditions.freshness_ratios[place] as decimal(18, 12))
            for weight, place in parted.nominal_weights
        ] as fresh_weights

    from conditions

    inner join parted on conditions.rule_set = parted.rule_set

),

unnested as (

    select
        account_id,
        day,
        profile,
        unnest(
            [
                struct_pack(
                    component := components[place],
                    contribution := list_sum(contributions[place:last_places[place]]),
                    weight := list_sum(effective_weights[place:last_places[place]]),
                    fresh_weight := list_sum(fresh_weights[place:last_places[place]]),
                    nominal_weight := list_sum(nominal_weights[place:last_places[place]]),
                    condition_count := last_places[place] - place + 1
                )
                for place in first_places
            ]
        ) as part

    from weighed

),

summed as (

    select
        account_id,
        day,
        part.component,
        profile,
        part.contribution,
        part.weight,
        part.fresh_weight,
        part.nominal_weight,
        part.condition_count

    from unnested

    union all

    select
        account_id,
        day,
        component,
        profile,
        sum(contribution) as contribution,
        sum(effective_weight) as weight,
        sum(nominal_weight * freshness_ratio) as fresh_weight,
        sum(nominal_weight) as nominal_weight,
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
        cast(
            cast(contribution as double) / nullif(cast(weight as double), 0) as decimal(9, 6)
        ) as score,
        cast(weight as decimal(9, 6)) as weight,
        cast(contribution as decimal(9, 6)) as contribution,
        cast(
            cast(fresh_weight as double) / nullif(cast(nominal_weight as double), 0)
            as decimal(9, 6)
        ) as coverage,
        cast(condition_count as bigint) as condition_count

    from summed

)

select * from final
