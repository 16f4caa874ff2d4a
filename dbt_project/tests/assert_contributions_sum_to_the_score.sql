-- Invariant 10: the conditions' contributions sum to the raw score, to the last digit, and
-- effective weights to 1 wherever there is any data; a known score is the override's, else the raw
-- one under the cap. Days that were shown were tested before (macros/shown.sql).
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
        sum(contribution) as contribution,
        sum(effective_weight) as effective_weight

    from {{ ref('fct_health_conditions_daily') }}

    where day in (select days.day from days)

    group by account_id, day

)

select
    health.account_id,
    health.day,
    health.score,
    health.raw_score,
    health.coverage,
    conditions.contribution,
    conditions.effective_weight

from {{ ref('fct_account_health_daily') }} as health

left join conditions
    on health.account_id = conditions.account_id and health.day = conditions.day

where
    health.day in (select days.day from days)
    and (
        conditions.contribution is distinct from health.raw_score
        or conditions.effective_weight <> case when health.coverage > 0 then 1 else 0 end
        or health.score
        <> coalesce(health.override_score, least(health.raw_score, health.cap_score))
    )
