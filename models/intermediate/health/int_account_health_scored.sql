-- One row per account per local day that no release has shown yet: the score that the conditions'
-- contributions sum to, the caps and the override in force, and the state by the profile's edges or
-- by rule, before an override and before it is held (fct_account_health_daily). Under the minimum
-- coverage the state is unknown, the score NULL, and a reason says why.

{{ config(materialized='table') }}

with

conditions as not materialized (

    select * from {{ ref('int_health_conditions_scored') }}

    where basis = 'day'

),

profiles as (

    select * from {{ ref('health_profiles') }}

),

caps as (

    select * from {{ ref('health_caps') }}

),

metrics as not materialized (

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

-- The linter cannot read lists made of lists: what follows is laid out by hand.
-- noqa: disable=all

rule_sets as (

    select * from {{ ref('int_health_rules') }}

),

asked as (

    -- From which score on each condition is good and no longer poor: see health_band.
    select
        rule_set,
        [case when rule.kind = 'linear' then good_from else 100 end for rule in rules]
            as good_edges,
        [case when rule.kind = 'linear' then average_from else 50 end for rule in rules]
            as average_edges,
        [rule.weight for rule in rules] as nominal_weights

    from rule_sets

),

named as (

    select
        rule_set,
        [rule.condition for rule in rules] as names,
        [rule.weight for rule in rules] as nominal_weights

    from rule_sets

),

patterns as (

    select distinct
        rule_set,
        freshness_ratios

    from conditions

),

faded as (

    -- Few days differ in how fresh each input is: their names are put together once.
    select
        patterns.rule_set,
        patterns.freshness_ratios,
        array_to_string(
            list_sort(
                [
                    named.names[place]
                    for ratio, place in patterns.freshness_ratios
                    if ratio < 1 and named.nominal_weights[place] is distinct from 0
                ]
            ),
            ', '
        ) as faded_inputs

    from patterns

    inner join named on patterns.rule_set = named.rule_set

),

contributed as (

    select
        conditions.*,
        asked.* exclude (rule_set),
        faded.faded_inputs,
        [
            cast(weight * conditions.scores[place] as decimal(9, 6))
            for weight, place in conditions.effective_weights
        ] as contributions

    from conditions

    inner join asked on conditions.rule_set = asked.rule_set

    inner join faded
        on
            conditions.rule_set = faded.rule_set
            and conditions.freshness_ratios = faded.freshness_ratios

),

summed as (

    select
        account_id,
        day,
        profile,
        cast(coalesce(coverage, 0) as decimal(9, 6)) as coverage,
        cast(coalesce(list_sum(contributions), 0) as decimal(9, 6)) as raw_score,
        coalesce(
            list_contains(
                [
                    is_young and nominal_weights[place] is distinct from 0
                    for is_young, place in are_warming_up
                ],
                true
            ),
            false
        ) as is_warming_up,
        coalesce(list_min(
            [
                scores[place] >= average_edges[place]
                for weight, place in effective_weights if weight > 0
            ]
        ), true) = false as has_poor,
        coalesce(list_min(
            [
                scores[place] >= good_edges[place]
                for weight, place in effective_weights if weight > 0
            ]
        ), true) as is_all_good,
        faded_inputs

    from contributed

),

scored_days as (

    -- Joined by day, a scan passes over what was shown without reading it.
    select distinct day from conditions

),

named_metrics as (

    select alias(columns(* exclude (account_id, day, account_status)))

    from metrics

    limit 1

),

metric_names as (

    select list_value(*columns(*)) as metric_names

    from named_metrics

),

capping as (

    -- The lowest comes first; of two that are as low, the first by name.
    select
        list(
            struct_pack(
                cap := caps.cap,
                operator := caps.operator,
                value := caps.value,
                score := caps.score,
                place := list_position(metric_names.metric_names, caps.metric)
            )
            order by caps.score, caps.cap
        ) as caps

    from caps

    cross join metric_names

    where caps.scope is null

),

numbers as (

    select
        metrics.account_id,
        metrics.day,
        cast(columns(metrics.* exclude (account_id, day, account_status)) as double)

    from metrics

    inner join scored_days on metrics.day = scored_days.day

),

told as (

    select
        account_id,
        day,
        list_value(*columns(* exclude (account_id, day))) as inputs

    from numbers

),

capped_by_metric as (

    select
        told.account_id,
        told.day,
        [
            struct_pack(score := rule.score, cap := rule.cap)
            for rule in capping.caps if {{ is_on_side('told.inputs[rule.place]', 'rule') }}
        ][1] as lowest

    from told

    cross join capping

),

capped_by_scope as (

    select
        scoped_metrics.account_id,
        scoped_metrics.day,
        struct_pack(score := caps.score, cap := caps.cap) as lowest

    from scoped_metrics

    inner join scored_days on scoped_metrics.day = scored_days.day

    inner join caps
        on scoped_metrics.metric = caps.metric and scoped_metrics.scope = caps.scope

    where {{ is_on_side('scoped_metrics.value', 'caps') }}

),

capped_by_any as (

    select * from capped_by_metric

    where lowest is not null

    union all

    select * from capped_by_scope

),

capped as (

    select
        account_id,
        day,
        min(lowest).score as cap_score,
        min(lowest).cap as cap

    from capped_by_any

    group by account_id, day

),

owned as (

    select
        overrides.* exclude (account_id, known_from, known_until, is_latest),
        {{ under_owner('overrides') }}

    from overrides

    left join owners on overrides.account_id = owners.account_id

    -- One that sets neither a score nor a state is none.
    where
        coalesce(cast(overrides.score as varchar), overrides.state) is not null
        and ({{ is_told_under_owner('overrides') }})

),

overridden as (

    -- As known at the day's end; of two that hold on a day, the one that began later.
    select
        conditions.account_id,
        conditions.day,
        owned.score as override_score,
        owned.state as override_state,
        owned.author as override_author,
        owned.reason as override_reason,
        owned.expires_on as override_expires_on

    from conditions

    inner join owned
        on
            conditions.account_id = owned.account_id
            and conditions.day between owned.starts_on and owned.expires_on
            and conditions.day >= {{ known_day('owned.known_from') }}
            and conditions.day < {{ known_day('owned.known_until') }}
            and (owned.deleted_at is null or conditions.day < {{ local_day('owned.deleted_at') }})

    qualify
        row_number() over (
            partition by conditions.account_id, conditions.day
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
