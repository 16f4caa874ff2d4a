-- One row per account, local day and condition: what it read, its band, its weight and what it gave
-- to the score. The contributions sum to the day's raw score, to the last digit.

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

contributed as (

    select
        conditions.*,
        health.state_before_override as state,
        health.judged_by,
        health.raw_score,
        health.cap_score,
        cast(conditions.effective_weight * coalesce(conditions.score, 0) as decimal(9, 6))
            as contribution,
        case health.state_before_override
            when 'poor' then health.average_from
            when 'average' then health.good_from
        end as next_edge

    from conditions

    inner join health
        on conditions.account_id = health.account_id and conditions.day = health.day

),

compared as (

    select
        *,
        case
            when effective_weight > 0 then effective_weight * 100 - contribution
        end as points_lost,
        coalesce(
            state in ('poor', 'average')
            and effective_weight * 100 > contribution
            and least(raw_score + effective_weight * 100 - contribution, cap_score) >= next_edge,
            false
        ) as would_change_state

    from contributed

),

ordered as (

    select
        *,
        bool_or(would_change_state) over (partition by account_id, day) as one_would_do,
        row_number() over (
            partition by account_id, day
            order by
                case when state = 'good' then contribution else points_lost end desc nulls last,
                condition
        ) as position,
        case when state = 'good' then contribution else points_lost end as points_at_stake

    from compared

),

measured as (

    -- Reasons by score: those of which full marks alone would change the state, else the three that
    -- cost the most points; for a good account the three that won the most. By rule: those whose
    -- band is the state's; for average, every one that isn't good.
    select
        *,
        coalesce(
            state <> 'unknown'
            and effective_weight > 0
            and case
                when judged_by = 'rule' and state = 'average' then band <> 'good'
                when judged_by = 'rule' then band = state
                when points_at_stake = 0 then false
                when one_would_do then would_change_state
                else position <= 3
            end,
            false
        ) as influences_state,
        '{{ var("configuration_version") }}' as configuration_version

    from ordered

),

shown as (

    select * from measured
    union all by name
    select * from recorded

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
