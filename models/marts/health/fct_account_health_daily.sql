-- One row per account per local day: the health that was shown for that day, from what was known
-- and configured then. While an input of the last complete score under the same profile and
-- configuration is missing or stale, the state is held: it is no better than that score's. An
-- override comes last. The slope is least squares over the days with a score among the last 28,
-- since the profile or the configuration last changed; under 7 such days it is NULL.

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

condition_rows as (

    select
        conditions.account_id,
        conditions.profile,
        conditions.day,
        unnest([rule.condition for rule in rule_sets.rules]) as condition,
        unnest(conditions.freshness_ratios) as freshness_ratio

    from conditions

    inner join rule_sets on conditions.rule_set = rule_sets.rule_set

),

fresh_rows as (

    select
        account_id,
        profile,
        condition,
        day
    from condition_rows
    where freshness_ratio = 1
    union all
    select
        account_id,
        profile,
        condition,
        day
    from recorded_conditions
    where freshness_ratio = 1

),

first_fresh as (

    select
        account_id,
        profile,
        condition,
        min(day) as day

    from fresh_rows

    group by account_id, profile, condition

),

lost as (

    -- Inputs that the account once had, under this profile and configuration.
    select
        condition_rows.account_id,
        condition_rows.day,
        string_agg(condition_rows.condition, ', ' order by condition_rows.condition)
            as lost_inputs

    from condition_rows

    inner join first_fresh
        on
            condition_rows.account_id = first_fresh.account_id
            and condition_rows.profile = first_fresh.profile
            and condition_rows.condition = first_fresh.condition
            and condition_rows.day > first_fresh.day

    where condition_rows.freshness_ratio < 1

    group by condition_rows.account_id, condition_rows.day

),

known as (

    select
        scored.*,
        lost.lost_inputs,
        scored.unknown_reason is null and lost.lost_inputs is null as is_complete,
        '{{ var("configuration_version") }}' as configuration_version,
        false as is_recorded

    from scored

    left join lost on scored.account_id = lost.account_id and scored.day = lost.day

    union all by name

    select
        * exclude (last_complete_state),
        true as is_recorded

    from recorded

),

remembered as (

    select
        *,
        last_value(case when is_complete then state_before_override end ignore nulls) over (
            partition by account_id, profile, configuration_version
            order by day
            rows between unbounded preceding and 1 preceding
        ) as last_complete_state

    from known

),

held as (

    select
        *,
        coalesce(
            not is_recorded
            and lost_inputs is not null
            and override_state is null
            and {{ state_rank('state_before_override') }} > {{ state_rank('last_complete_state') }},
            false
        ) as is_held_now

    from remembered

),

shown as (

    select
        * exclude (state, score, unknown_reason, is_held),
        case
            when is_recorded then state
            when is_held_now then last_complete_state
            else coalesce(override_state, state_before_override)
        end as state,
        case
            when is_recorded or coalesce(override_state, '') <> 'unknown' then score
        end as score,
        case
            when not is_recorded and override_state = 'unknown' then 'override'
            else unknown_reason
        end as unknown_reason,
        case when is_recorded then coalesce(is_held, false) else is_held_now end as is_held

    from held

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

    from shown

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
            order by day
            range between interval 27 days preceding and current row
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
        end as measured_slope

    from summed

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
        is_held,
        lost_inputs,
        faded_inputs,
        good_from,
        average_from,
        cast(case when is_recorded then slope else measured_slope end as double) as slope,
        case
            when is_recorded then arrow
            when measured_slope * 28 > 3 then 'up'
            when measured_slope * 28 < -3 then 'down'
            when measured_slope is not null then 'flat'
        end as arrow,
        coalesce(is_complete, false) as is_complete,
        configuration_version

    from sloped

)

select * from final
