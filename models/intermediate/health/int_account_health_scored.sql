-- One row per account per local day that no release has shown yet: the score that the conditions'
-- contributions sum to, the caps and the override in force, and the state by the profile's edges or
-- by rule, before an override and before it is held (fct_account_health_daily). Under the minimum
-- coverage the state is unknown, the score NULL, and a reason says why.

{{ config(materialized='table') }}

with

conditions as (

    select * from {{ ref('int_health_conditions_scored') }}

    where basis = 'day'

),

profiles as (

    select * from {{ ref('health_profiles') }}

),

caps as (

    select * from {{ ref('health_caps') }}

),

metrics as (

    select * from {{ ref('account_metrics_daily') }}

),

scoped_metrics as (

    select * from {{ ref('account_scoped_metrics_daily') }}

),

overrides as (

    select * from {{ ref('stg_crm__health_overrides') }}

),

owners as (

    select * from {{ ref('int_account_owners') }}

),

summed as (

    select
        account_id,
        day,
        profile,
        cast(coalesce(min(coverage), 0) as decimal(9, 6)) as coverage,
        cast(
            coalesce(sum(cast(effective_weight * score as decimal(9, 6))), 0) as decimal(9, 6)
        ) as raw_score,
        coalesce(bool_or(is_warming_up), false) as is_warming_up,
        coalesce(bool_or(effective_weight > 0 and band = 'poor'), false) as has_poor,
        coalesce(bool_and(effective_weight = 0 or band = 'good'), false) as is_all_good,
        coalesce(
            string_agg(condition, ', ' order by condition) filter (where freshness_ratio < 1), ''
        ) as faded_inputs

    from conditions

    group by account_id, day, profile

),

first_days as (

    select min(day) as day from summed

),

numbers as (

    select metrics.* exclude (metrics.account_status)

    from metrics

    inner join first_days on metrics.day >= first_days.day

),

told as (

    select
        account_id,
        day,
        metric,
        null as scope,
        value
    from (
        unpivot numbers
        on cast(columns(* exclude (account_id, day)) as double)
        into name metric value value
    )

    union all

    select
        scoped_metrics.account_id,
        scoped_metrics.day,
        scoped_metrics.metric,
        scoped_metrics.scope,
        scoped_metrics.value

    from scoped_metrics

    inner join first_days on scoped_metrics.day >= first_days.day

),

capped as (

    -- The lowest of the caps that are met; of two that are as low, the first by name.
    select
        told.account_id,
        told.day,
        min(caps.score) as cap_score,
        min_by(caps.cap, struct_pack(score := caps.score, cap := caps.cap)) as cap

    from told

    inner join caps
        on told.metric = caps.metric and coalesce(told.scope, '') = coalesce(caps.scope, '')

    where {{ is_on_side('told.value', 'caps') }}

    group by told.account_id, told.day

),

owned as (

    select
        overrides.* exclude (account_id, known_from, known_until, is_latest),
        {{ under_owner('overrides') }}

    from overrides

    left join owners on overrides.account_id = owners.account_id

    where {{ is_told_under_owner('overrides') }}

),

overridden as (

    -- As known at the day's end; of two that hold on a day, the one that began later.
    select
        summed.account_id,
        summed.day,
        owned.score as override_score,
        owned.state as override_state,
        owned.author as override_author,
        owned.reason as override_reason,
        owned.expires_on as override_expires_on

    from summed

    inner join owned
        on
            summed.account_id = owned.account_id
            and summed.day between owned.starts_on and owned.expires_on
            and summed.day >= {{ known_day('owned.known_from') }}
            and summed.day < {{ known_day('owned.known_until') }}
            and (owned.deleted_at is null or summed.day < {{ local_day('owned.deleted_at') }})

    qualify
        row_number() over (
            partition by summed.account_id, summed.day
            order by
                owned.starts_on desc,
                owned.expires_on asc,
                owned.author asc,
                owned.reason asc
        ) = 1

),

judged as (

    select
        summed.*,
        profiles.judged_by,
        profiles.good_from,
        profiles.average_from,
        summed.coverage >= profiles.minimum_coverage as is_known,
        cast(capped.cap_score as decimal(9, 6)) as cap_score,
        capped.cap,
        cast(least(summed.raw_score, capped.cap_score) as decimal(9, 6)) as capped_score,
        cast(overridden.override_score as decimal(9, 6)) as override_score,
        overridden.override_state,
        overridden.override_author,
        overridden.override_reason,
        overridden.override_expires_on

    from summed

    inner join profiles on summed.profile = profiles.profile

    left join capped on summed.account_id = capped.account_id and summed.day = capped.day

    left join overridden
        on summed.account_id = overridden.account_id and summed.day = overridden.day

),

final as (

    select
        account_id,
        day,
        profile,
        case when is_known then coalesce(override_score, capped_score) end as score,
        case
            when not is_known then 'unknown'
            when judged_by = 'rule' and has_poor then 'poor'
            when judged_by = 'rule' and is_all_good then 'good'
            when judged_by = 'rule' then 'average'
            else {{ health_state('capped_score') }}
        end as state_before_override,
        case
            when is_known
                then
                    coalesce(override_state, {{ health_state('override_score') }})
        end as override_state,
        case
            when is_known then null
            when is_warming_up then 'warming up'
            when coverage = 0 then 'no data'
            else 'low coverage'
        end as unknown_reason,
        coverage,
        raw_score,
        cap,
        cap_score,
        capped_score,
        override_score,
        override_author,
        override_reason,
        override_expires_on,
        faded_inputs,
        judged_by,
        good_from,
        average_from

    from judged

)

select * from final
