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

recorded as not materialized (

    select * from {{ ref('stg_history__fct_account_health_daily') }}

),

recorded_conditions as (

    select * from {{ ref('stg_history__fct_health_conditions_daily') }}

    where configuration_version = '{{ var("configuration_version") }}'

),

scored as not materialized (

    select * from {{ ref('int_account_health_scored') }}

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

last_shown as (

    select coalesce(max(day), cast('1900-01-01' as date)) as last_day from recorded

),

asked_about as (

    select distinct
        account_id,
        profile

    from scored

),

shown_last as (

    -- Most accounts were judged by the same profile on the last shown day, which tells its last
    -- complete state; the whole history is asked for the others alone.
    select
        recorded.account_id,
        recorded.profile,
        recorded.day,
        case
            when recorded.is_complete then recorded.state_before_override
            else recorded.last_complete_state
        end as last_complete_state

    from recorded

    inner join last_shown on recorded.day = last_shown.last_day

    semi join asked_about
        on
            recorded.account_id = asked_about.account_id
            and recorded.profile = asked_about.profile

    where
        recorded.configuration_version = '{{ var("configuration_version") }}'
        and (recorded.is_complete or recorded.last_complete_state is not null)

),

asked_of_history as (

    select * from asked_about

    anti join shown_last
        on
            asked_about.account_id = shown_last.account_id
            and asked_about.profile = shown_last.profile

),

last_judged as (

    -- The last shown day of each profile, under this configuration.
    select
        recorded.account_id,
        recorded.profile,
        max(recorded.day) as day,
        arg_max(recorded.state_before_override, recorded.day) filter (where recorded.is_complete)
            as last_complete_state

    from recorded

    semi join asked_of_history
        on
            recorded.account_id = asked_of_history.account_id
            and recorded.profile = asked_of_history.profile

    where recorded.configuration_version = '{{ var("configuration_version") }}'

    group by recorded.account_id, recorded.profile

    union all

    select
        account_id,
        profile,
        day,
        last_complete_state

    from shown_last

),

days_judged as (

    select distinct day from last_judged

),

conditions_judged as (

    -- Of a row for each condition of every day, a join by the day alone reads those days.
    select recorded_conditions.*

    from recorded_conditions

    inner join days_judged on recorded_conditions.day = days_judged.day

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
        conditions_judged.condition,
        conditions_judged.freshness_ratio = 1
        or list_contains(
            string_split(coalesce(recorded.lost_inputs, ''), ', '), conditions_judged.condition
        ) as is_fresh,
        last_judged.day

    from last_judged

    inner join recorded
        on last_judged.account_id = recorded.account_id and last_judged.day = recorded.day

    inner join conditions_judged
        on
            last_judged.account_id = conditions_judged.account_id
            and last_judged.day = conditions_judged.day

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

    -- Inputs that have faded and that the account once had, under this profile and configuration;
    -- what weighs nothing is no input of a score, and not among them.
    select
        scored.account_id,
        scored.day,
        array_to_string(
            [
                name
                for name in string_split(scored.faded_inputs, ', ')
                if first_days.first_days[name] < scored.day
            ],
            ', '
        ) as lost_inputs

    from scored

    inner join first_days
        on
            scored.account_id = first_days.account_id
            and scored.profile = first_days.profile

    where scored.faded_inputs <> ''

),

completed as (

    -- Windows over a few columns, joined with the others afterwards: they sort what they carry.
    select
        scored.account_id,
        scored.day,
        scored.profile,
        scored.state_before_override,
        nullif(lost.lost_inputs, '') as lost_inputs,
        scored.unknown_reason is null and coalesce(lost.lost_inputs, '') = '' as is_complete

    from scored

    left join lost on scored.account_id = lost.account_id and scored.day = lost.day

),

remembered as (

    select
        completed.account_id,
        completed.day,
        completed.lost_inputs,
        completed.is_complete,
        coalesce(
            last_value(
                case when completed.is_complete then completed.state_before_override end
                ignore nulls
            ) over (
                partition by completed.account_id, completed.profile
                order by completed.day
                rows between unbounded preceding and 1 preceding
            ),
            last_judged.last_complete_state
        ) as last_complete_state

    from completed

    left join last_judged
        on
            completed.account_id = last_judged.account_id
            and completed.profile = last_judged.profile

),

held as (

    select
        scored.* exclude (score, unknown_reason),
        case when coalesce(scored.override_state, '') <> 'unknown' then scored.score end as score,
        case when scored.override_state = 'unknown' then 'override' else scored.unknown_reason end
            as unknown_reason,
        remembered.* exclude (account_id, day),
        coalesce(
            remembered.lost_inputs is not null
            and scored.override_state is null
            and {{ state_rank('scored.state_before_override') }}
            > {{ state_rank('remembered.last_complete_state') }},
            false
        ) as is_held,
        '{{ var("configuration_version") }}' as configuration_version

    from scored

    inner join remembered
        on scored.account_id = remembered.account_id and scored.day = remembered.day

),

scores as (

    select
        account_id,
        day,
        profile,
        case when coalesce(override_state, '') <> 'unknown' then score end as score,
        '{{ var("configuration_version") }}' as configuration_version,
        false as is_shown

    from scored

    union all

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

compared as (

    select
        *,
        coalesce(
            configuration_version
            = lag(configuration_version) over (partition by account_id order by day)
            and profile = lag(profile) over (partition by account_id order by day),
            false
        ) as is_judged_as_before

    from scores

),

judged as (

    select
        account_id,
        day,
        score,
        is_shown,
        sum(case when is_judged_as_before then 0 else 1 end) over (
            partition by account_id order by day rows unbounded preceding
        ) as judgement,
        day - cast('2000-01-01' as date) as day_number

    from compared

),

summed as (

    -- Sums of whole numbers and decimals: the slope is divided once, and equal again on every run.
    select
        account_id,
        day,
        is_shown,
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
        account_id,
        day,
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
        held.*,
        case
            when held.is_held then held.last_complete_state
            else coalesce(held.override_state, held.state_before_override)
        end as state,
        sloped.slope,
        case
            when sloped.slope * 28 > 3 then 'up'
            when sloped.slope * 28 < -3 then 'down'
            when sloped.slope is not null then 'flat'
        end as arrow

    from held

    inner join sloped on held.account_id = sloped.account_id and held.day = sloped.day

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
