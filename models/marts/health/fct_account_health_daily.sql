-- One row per account per local day: the health that was shown for that day, from what was known
-- and configured then. While an input of the last complete score under the same profile and
-- configuration is missing or stale, the state is held: it is no better than that score's. An
-- override comes last. The slope is least squares over the days with a score among the last 28,
-- since the profile or the configuration last changed; under 7 such days it is NULL. Days that were
-- shown stay; what the days to come need of them is read, and no more.

{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='append_new_columns',
    full_refresh=false,
    pre_hook="{{ forget_unshown(ref('stg_history__fct_account_health_daily')) }}",
) }}

with

recorded as (

    select * from {{ ref('stg_history__fct_account_health_daily') }}

),

recorded_conditions as (

    select * from {{ ref('stg_history__fct_health_conditions_daily') }}

    where configuration_version = '{{ var("configuration_version") }}'

),

scored as (

    select * from {{ ref('int_account_health_scored') }}

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

last_shown as (

    select coalesce(max(day), cast('1900-01-01' as date)) as last_day from recorded

),

last_judged as (

    -- The last shown day of each profile, under this configuration.
    select
        account_id,
        profile,
        max(day) as day,
        arg_max(state_before_override, day) filter (where is_complete) as last_complete_state

    from recorded

    where configuration_version = '{{ var("configuration_version") }}'

    group by account_id, profile

),

named as (

    -- The conditions of a profile are the same, in the same order, at every age.
    select
        rule_set,
        [rule.condition for rule in rules] as names

    from rule_sets

),

fresh_sets as (

    select
        account_id,
        profile,
        rule_set,
        [ratio = 1 for ratio in freshness_ratios] as are_fresh,
        min(day) as day

    from conditions

    group by all

),

fresh_rows as (

    select
        fresh_sets.account_id,
        fresh_sets.profile,
        unnest(named.names) as condition,
        unnest(fresh_sets.are_fresh) as is_fresh,
        fresh_sets.day

    from fresh_sets

    inner join named on fresh_sets.rule_set = named.rule_set

    union all

    -- What had ever been fresh by a shown day was fresh on it, or is one of its lost inputs.
    select
        last_judged.account_id,
        last_judged.profile,
        recorded_conditions.condition,
        recorded_conditions.freshness_ratio = 1
        or list_contains(
            string_split(coalesce(recorded.lost_inputs, ''), ', '), recorded_conditions.condition
        ) as is_fresh,
        last_judged.day

    from last_judged

    inner join recorded
        on last_judged.account_id = recorded.account_id and last_judged.day = recorded.day

    inner join recorded_conditions
        on
            last_judged.account_id = recorded_conditions.account_id
            and last_judged.day = recorded_conditions.day

),

first_fresh as (

    select
        account_id,
        profile,
        condition,
        min(day) filter (where is_fresh) as day

    from fresh_rows

    group by account_id, profile, condition

),

first_days as (

    select
        account_id,
        profile,
        map_from_entries(list(struct_pack(condition := condition, day := day))) as first_days

    from first_fresh

    where day is not null

    group by account_id, profile

),

lost as (

    -- Inputs that the account once had, under this profile and configuration.
    select
        conditions.account_id,
        conditions.day,
        array_to_string(
            list_sort(
                [
                    named.names[place]
                    for ratio, place in conditions.freshness_ratios
                    if ratio < 1 and first_days.first_days[named.names[place]] < conditions.day
                ]
            ),
            ', '
        ) as lost_inputs

    from conditions

    inner join named on conditions.rule_set = named.rule_set

    inner join first_days
        on
            conditions.account_id = first_days.account_id
            and conditions.profile = first_days.profile

    where list_min(conditions.freshness_ratios) < 1

),

known as (

    select
        scored.*,
        nullif(lost.lost_inputs, '') as lost_inputs,
        scored.unknown_reason is null and coalesce(lost.lost_inputs, '') = '' as is_complete,
        '{{ var("configuration_version") }}' as configuration_version

    from scored

    left join lost on scored.account_id = lost.account_id and scored.day = lost.day

),

remembered as (

    select
        known.*,
        coalesce(
            last_value(
                case when known.is_complete then known.state_before_override end ignore nulls
            ) over (
                partition by known.account_id, known.profile
                order by known.day
                rows between unbounded preceding and 1 preceding
            ),
            last_judged.last_complete_state
        ) as last_complete_state

    from known

    left join last_judged
        on known.account_id = last_judged.account_id and known.profile = last_judged.profile

),

held as (

    select
        *,
        coalesce(
            lost_inputs is not null
            and override_state is null
            and {{ state_rank('state_before_override') }} > {{ state_rank('last_complete_state') }},
            false
        ) as is_held

    from remembered

),

judged_today as (

    select
        * exclude (score, unknown_reason),
        case
            when is_held then last_complete_state
            else coalesce(override_state, state_before_override)
        end as state,
        case when coalesce(override_state, '') <> 'unknown' then score end as score,
        case when override_state = 'unknown' then 'override' else unknown_reason end
            as unknown_reason,
        false as is_shown

    from held

),

looked_back_at as (

    -- The slope of the first day to come looks back at the 27 before it.
    select
        recorded.account_id,
        recorded.day,
        recorded.profile,
        recorded.score,
        recorded.configuration_version,
        true as is_shown

    from recorded

    inner join last_shown on recorded.day > last_shown.last_day - 27

),

days as (

    select * from judged_today
    union all by name
    select * from looked_back_at

),

compared as (

    select
        *,
        coalesce(
            configuration_version
            = lag(configuration_version) over (partition by account_id order by day)
            and profile = lag(profile) over (partition by account_id order by day),
            false
        ) as is_judged_as_before

    from days

),

judged as (

    select
        *,
        sum(case when is_judged_as_before then 0 else 1 end) over (
            partition by account_id order by day rows unbounded preceding
        ) as judgement,
        day - cast('2000-01-01' as date) as day_number

    from compared

),

summed as (

    -- Sums of whole numbers and decimals: the slope is divided once, and equal again on every run.
    select
        *,
        count(score) over last_28_days as n,
        sum(case when score is not null then day_number end) over last_28_days as sum_x,
        sum(score) over last_28_days as sum_y,
        sum(case when score is not null then day_number * day_number end)
            over last_28_days as sum_xx,
        sum(cast(score as decimal(20, 6)) * day_number) over last_28_days as sum_xy

    from judged

    window
        last_28_days as (
            partition by account_id, judgement
            order by day_number
            range between 27 preceding and current row
        )

),

sloped as (

    select
        *,
        case
            when n >= 7
                then
                    round(
                        cast(n * sum_xy - sum_x * sum_y as double)
                        / nullif(n * sum_xx - sum_x * sum_x, 0),
                        9
                    )
        end as slope

    from summed

    where not is_shown

),

pointed as (

    select
        *,
        case
            when slope * 28 > 3 then 'up'
            when slope * 28 < -3 then 'down'
            when slope is not null then 'flat'
        end as arrow

    from sloped

),

shown as (

    select * from pointed

    union all by name

    select * from recorded

    where {{ not_kept() }}

),

final as (

    select
        account_id,
        day,
        profile,
        coalesce(judged_by, 'score') as judged_by,
        cast(score as decimal(9, 6)) as score,
        state,
        unknown_reason,
        coverage,
        cast(raw_score as decimal(9, 6)) as raw_score,
        cap,
        cast(cap_score as decimal(9, 6)) as cap_score,
        cast(coalesce(capped_score, raw_score) as decimal(9, 6)) as capped_score,
        cast(override_score as decimal(9, 6)) as override_score,
        override_state,
        override_author,
        override_reason,
        override_expires_on,
        state_before_override,
        last_complete_state,
        coalesce(is_held, false) as is_held,
        lost_inputs,
        faded_inputs,
        good_from,
        average_from,
        cast(slope as double) as slope,
        arrow,
        coalesce(is_complete, false) as is_complete,
        configuration_version

    from shown

)

select * from final
