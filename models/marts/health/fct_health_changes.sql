-- One row per account per local day that follows a day with health: the change of the score since
-- then, split exactly into what it is due to, in this order: profile, weights, thresholds and
-- conditions, missing and stale inputs, inputs, cap, override; each is computed with the later ones
-- still as the day before. NULL where either day has no score. Written once, with the day.

{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='append_new_columns',
    full_refresh=false,
    pre_hook="{{ forget_unshown(ref('stg_history__fct_health_changes')) }}",
) }}

with

recorded as (

    select * from {{ ref('stg_history__fct_health_changes') }}

),

health as not materialized (

    select * from {{ ref('fct_account_health_daily') }}

),

conditions as (

    select * from {{ ref('fct_health_conditions_daily') }}

),

scored as not materialized (

    select * from {{ ref('int_health_conditions_scored') }}

),

unshown as (

    select * from {{ ref('int_account_health_scored') }}

),

first_unshown as (

    select min(day) as day from unshown

),

days as (

    select
        today.account_id,
        today.day,
        today.score,
        before.score as score_before,
        today.state,
        before.state as state_before,
        today.profile,
        before.profile as profile_before,
        today.profile <> before.profile as is_profile_changed,
        today.configuration_version <> before.configuration_version as is_configuration_changed,
        today.raw_score,
        before.raw_score as raw_before,
        today.cap_score,
        before.cap_score as cap_before,
        today.override_score,
        before.override_score as override_before,
        today.configuration_version

    from unshown

    inner join health as today on unshown.account_id = today.account_id and unshown.day = today.day

    inner join health as before
        on unshown.account_id = before.account_id and unshown.day - 1 = before.day

),

rule_sets as (

    select * from {{ ref('int_health_rules') }}

),

-- The linter cannot read lists made of lists: what follows is laid out by hand.
-- noqa: disable=all

scored_otherwise as (

    select
        account_id,
        day,
        basis,
        list_sum(
            [
                cast(weight * scores[place] as decimal(9, 6))
                for weight, place in effective_weights
            ]
        ) as raw_score

    from scored

    where basis <> 'day'

),

on_other_rules as (

    select
        account_id,
        day,
        max(case when basis = 'weights' then raw_score end) as by_weights,
        max(case when basis = 'rules' then raw_score end) as by_rules

    from scored_otherwise

    group by account_id, day

),

inputs as (

    select
        account_id,
        day,
        rule_set,
        hash(freshness_ratios) as freshness

    from scored

    where basis = 'day'

),

as_before as (

    -- Where each input is as fresh as on the day before, under the same rules, so is each weight:
    -- the day before on today's thresholds and weights is the day before. Most days are so, and the
    -- conditions of the others alone are compared.
    select
        today.account_id,
        today.day

    from inputs as today

    inner join inputs as before
        on
            today.account_id = before.account_id
            and today.day - 1 = before.day
            and today.rule_set = before.rule_set
            and today.freshness = before.freshness

),

unlike_before as materialized (

    select
        inputs.account_id,
        inputs.day

    from inputs

    anti join as_before
        on inputs.account_id = as_before.account_id and inputs.day = as_before.day

),

lists_before as materialized (

    select
        before.account_id,
        before.day,
        before.rule_set,
        before.metric_values,
        before.scores,
        before.freshness_ratios,
        before.effective_weights

    from unlike_before

    inner join scored as before
        on
            unlike_before.account_id = before.account_id
            and unlike_before.day - 1 = before.day
            and before.basis = 'day'

),

conditions_before as (

    -- The day before the first that comes is one that was shown; those of the others are at hand as
    -- lists, which spares going through the table, with its row for each condition of every day.
    select
        conditions.account_id,
        conditions.day,
        conditions.condition,
        conditions.metric_value,
        conditions.score,
        conditions.freshness_ratio,
        conditions.effective_weight

    from conditions

    inner join first_unshown on conditions.day = first_unshown.day - 1

    union all

    select
        lists_before.account_id,
        lists_before.day,
        unnest([rule.condition for rule in rule_sets.rules]) as condition,
        unnest(lists_before.metric_values) as metric_value,
        unnest(lists_before.scores) as score,
        unnest(lists_before.freshness_ratios) as freshness_ratio,
        unnest(lists_before.effective_weights) as effective_weight

    from lists_before

    inner join rule_sets on lists_before.rule_set = rule_sets.rule_set

),

lists_judged as materialized (

    select
        today.account_id,
        today.day,
        today.rule_set,
        today.effective_weights,
        today.scores,
        today.freshness_ratios,
        judged_anew.scores as scores_anew

    from unlike_before

    inner join scored as today
        on
            unlike_before.account_id = today.account_id
            and unlike_before.day = today.day
            and today.basis = 'day'

    left join scored as judged_anew
        on
            unlike_before.account_id = judged_anew.account_id
            and unlike_before.day = judged_anew.day
            and judged_anew.basis = 'rules'

),

judged_days as (

    select
        lists_judged.account_id,
        lists_judged.day,
        unnest(rule_sets.rules) as rule,
        unnest(lists_judged.effective_weights) as effective_weight,
        unnest(lists_judged.scores) as score,
        unnest(lists_judged.freshness_ratios) as freshness_ratio,
        unnest(lists_judged.scores_anew) as score_anew

    from lists_judged

    inner join rule_sets on lists_judged.rule_set = rule_sets.rule_set

),

compared as (

    -- The day's thresholds on the value of the day before, which stands for its own where the
    -- condition had none then.
    select
        judged_days.account_id,
        judged_days.day,
        judged_days.effective_weight,
        before.effective_weight as weight_before,
        judged_days.score,
        case
            when days.is_profile_changed or days.is_configuration_changed
                then judged_days.score_anew
            when before.score is not null
                then {{ health_score('before.metric_value', 'judged_days.rule.') }}
        end as score_of_value_before,
        coalesce(judged_days.freshness_ratio < before.freshness_ratio, false) as is_losing,
        judged_days.rule.condition as condition

    from judged_days

    inner join days on judged_days.account_id = days.account_id and judged_days.day = days.day

    left join conditions_before as before
        on
            judged_days.account_id = before.account_id
            and judged_days.day - 1 = before.day
            and judged_days.rule.condition = before.condition

),

summed as (

    select
        account_id,
        day,
        sum(cast(weight_before * score_of_value_before as decimal(9, 6))) as by_thresholds,
        sum(
            cast(effective_weight * coalesce(score_of_value_before, score) as decimal(9, 6))
        ) as by_missing,
        string_agg(condition, ', ' order by condition) filter (where is_losing) as lost_inputs

    from compared

    group by account_id, day

    union all

    select
        days.account_id,
        days.day,
        days.raw_before as by_thresholds,
        days.raw_before as by_missing,
        null as lost_inputs

    from days

    inner join as_before on days.account_id = as_before.account_id and days.day = as_before.day

),

raw_steps as (

    select
        days.*,
        summed.lost_inputs,
        case
            when days.is_profile_changed then coalesce(on_other_rules.by_rules, 0)
            else days.raw_before
        end as raw_1,
        case
            when days.is_profile_changed then coalesce(on_other_rules.by_rules, 0)
            when days.is_configuration_changed then coalesce(on_other_rules.by_weights, 0)
            else days.raw_before
        end as raw_2,
        case
            when days.is_profile_changed or days.is_configuration_changed
                then coalesce(on_other_rules.by_rules, 0)
            else coalesce(summed.by_thresholds, 0)
        end as raw_3,
        coalesce(summed.by_missing, 0) as raw_4

    from days

    inner join summed on days.account_id = summed.account_id and days.day = summed.day

    left join on_other_rules
        on days.account_id = on_other_rules.account_id and days.day = on_other_rules.day

),

steps as (

    -- The score at each step, under the cap and the override of the day before until these change.
    select
        *,
        coalesce(override_before, least(raw_1, cap_before)) as score_1,
        coalesce(override_before, least(raw_2, cap_before)) as score_2,
        coalesce(override_before, least(raw_3, cap_before)) as score_3,
        coalesce(override_before, least(raw_4, cap_before)) as score_4,
        coalesce(override_before, least(raw_score, cap_before)) as score_5,
        coalesce(override_before, least(raw_score, cap_score)) as score_6,
        score is not null and score_before is not null as is_measured

    from raw_steps

),

split as (

    select
        account_id,
        day,
        profile,
        profile_before,
        state,
        state_before,
        score,
        score_before,
        score - score_before as change,
        case when is_measured then score_1 - score_before end as from_profile,
        case when is_measured then score_2 - score_1 end as from_weights,
        case when is_measured then score_3 - score_2 end as from_thresholds,
        case when is_measured then score_4 - score_3 end as from_missing,
        case when is_measured then score_5 - score_4 end as from_inputs,
        case when is_measured then score_6 - score_5 end as from_cap,
        case when is_measured then score - score_6 end as from_override,
        lost_inputs,
        configuration_version

    from steps

),

shown as (

    select * from split

    union all by name

    select * from recorded

    where {{ not_kept() }}

),

final as (

    select
        account_id,
        day,
        profile,
        profile_before,
        state,
        state_before,
        cast(score as decimal(9, 6)) as score,
        cast(score_before as decimal(9, 6)) as score_before,
        cast(change as decimal(9, 6)) as change,
        cast(from_profile as decimal(9, 6)) as from_profile,
        cast(from_weights as decimal(9, 6)) as from_weights,
        cast(from_thresholds as decimal(9, 6)) as from_thresholds,
        cast(from_missing as decimal(9, 6)) as from_missing,
        cast(from_inputs as decimal(9, 6)) as from_inputs,
        cast(from_cap as decimal(9, 6)) as from_cap,
        cast(from_override as decimal(9, 6)) as from_override,
        lost_inputs,
        configuration_version

    from shown

)

select * from final
