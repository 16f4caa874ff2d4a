-- Invariant 10: the day's condition rows give the state, by the profile's edges under the cap or by
-- their bands; a held state is the last complete one and worse, and an override is the state. A
-- state that is not good has reasons among the conditions, or a cap is the reason. Days that were
-- shown were tested before (macros/shown.sql), and have no edges beside them if an old version did.
with

days as (

    {{ days_to_test(
        ref('fct_account_health_daily'), ref('stg_history__fct_account_health_daily')
    ) }}

),

conditions as (

    select
        account_id,
        day,
        sum(contribution) as raw_score,
        coalesce(bool_or(effective_weight > 0 and band = 'poor'), false) as has_poor,
        coalesce(bool_and(effective_weight = 0 or band = 'good'), false) as is_all_good,
        bool_or(influences_state) as has_reasons

    from {{ ref('fct_health_conditions_daily') }}

    where day in (select days.day from days)

    group by account_id, day

),

recomputed as (

    select
        health.*,
        conditions.has_reasons,
        least(conditions.raw_score, health.cap_score) as score_of_conditions,
        conditions.has_poor,
        conditions.is_all_good

    from {{ ref('fct_account_health_daily') }} as health

    left join conditions
        on health.account_id = conditions.account_id and health.day = conditions.day

    where health.day in (select days.day from days) and health.good_from is not null

),

stated as (

    select
        *,
        case
            when state_before_override = 'unknown' then 'unknown'
            when judged_by = 'rule' and has_poor then 'poor'
            when judged_by = 'rule' and is_all_good then 'good'
            when judged_by = 'rule' then 'average'
            else {{ health_state('score_of_conditions') }}
        end as state_of_conditions

    from recomputed

)

select
    account_id,
    day,
    state,
    state_before_override,
    state_of_conditions,
    last_complete_state,
    is_held,
    override_state,
    has_reasons

from stated

where
    state_of_conditions is distinct from state_before_override
    or state is distinct from case
        when is_held then last_complete_state
        else coalesce(override_state, state_before_override)
    end
    or (
        is_held
        and {{ state_rank('state') }} >= {{ state_rank('state_before_override') }}
    )
    or (
        state_before_override in ('poor', 'average')
        and coalesce(cap_score >= raw_score, true)
        and not has_reasons
    )
