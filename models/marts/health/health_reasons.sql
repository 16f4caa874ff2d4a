-- One row per account and reason for the health of the last full day, in words, made from the day's
-- numbers and the seeds of today; of an earlier day `csw health explain` makes it from the rows
-- that were shown. Who set an override, and why, stands in fct_account_health_daily.

with

health as (

    select * from {{ ref('fct_account_health_daily') }}

    where day = {{ as_of_day() }} - 1

),

conditions as (

    select * from {{ ref('fct_health_conditions_daily') }}

    where day = {{ as_of_day() }} - 1

),

sentences as (

    select * from {{ ref('health_conditions') }}

),

caps as (

    select * from {{ ref('health_caps') }}

),

metrics as (

    select * from {{ ref('account_metrics_daily') }}

    where day = {{ as_of_day() }} - 1

),

scoped_metrics as (

    select * from {{ ref('account_scoped_metrics_daily') }}

    where day = {{ as_of_day() }} - 1

),

registry as (

    select * from {{ ref('metric_registry') }}

),

told as (

    select
        account_id,
        metric,
        '' as scope,
        value
    from (
        unpivot metrics
        on cast(columns(* exclude (account_id, day, account_status)) as double)
        into name metric value value
    )

    union all

    select
        account_id,
        metric,
        scope,
        value
    from scoped_metrics

),

reasons as (

    -- An override decides alone, a hold before a cap, a cap before the conditions.
    select
        account_id,
        1 as rank,
        'override' as kind,
        'override' as name,
        0 as points_at_stake,
        'set to ' || override_state || ' until ' || override_expires_on as sentence

    from health

    -- Under too little coverage none is in force.
    where override_state is not null

    union all

    select
        account_id,
        2 as rank,
        'coverage' as kind,
        unknown_reason as name,
        0 as points_at_stake,
        unknown_reason || ': ' || round(coverage * 100) || ' % of the weight has data'
        || case when faded_inputs <> '' then '; missing or stale: ' || faded_inputs else '' end
            as sentence

    from health

    where unknown_reason <> 'override'

    union all

    select
        account_id,
        3 as rank,
        'missing' as kind,
        'lost_inputs' as name,
        0 as points_at_stake,
        'without ' || lost_inputs || ', which it had'
        || case
            when is_held then ': held at ' || state || ', the last complete state'
            else ''
        end as sentence

    from health

    where lost_inputs is not null and unknown_reason is null

    union all

    select
        health.account_id,
        4 as rank,
        'cap' as kind,
        health.cap as name,
        health.raw_score - health.cap_score as points_at_stake,
        replace(
            replace(caps.sentence, '{value}', {{ worded('told.value', 'registry.unit') }}),
            '{score}',
            {{ worded('caps.score', "''") }}
        ) as sentence

    from health

    inner join caps on health.cap = caps.cap

    inner join told
        on
            health.account_id = told.account_id
            and caps.metric = told.metric
            and coalesce(caps.scope, '') = told.scope

    left join registry on caps.metric = registry.metric

    where health.cap_score < health.raw_score and health.unknown_reason is null

    union all

    select
        conditions.account_id,
        5 as rank,
        'condition' as kind,
        conditions.condition as name,
        case
            when health.state_before_override = 'good' then conditions.contribution
            else conditions.effective_weight * 100 - conditions.contribution
        end as points_at_stake,
        replace(
            replace(
                replace(
                    sentences.sentence,
                    '{value}',
                    {{ worded('conditions.metric_value', 'registry.unit') }}
                ),
                '{lower}',
                {{ worded('conditions.lower_edge', 'registry.unit') }}
            ),
            '{upper}',
            {{ worded('conditions.upper_edge', 'registry.unit') }}
        ) as sentence

    from conditions

    inner join health on conditions.account_id = health.account_id

    inner join sentences on conditions.condition = sentences.condition

    left join registry on conditions.metric = registry.metric

    where conditions.influences_state

),

final as (

    select
        account_id,
        row_number() over (
            partition by account_id order by rank asc, points_at_stake desc, name asc
        ) as position,
        kind,
        name,
        sentence,
        cast(points_at_stake as decimal(9, 6)) as points_at_stake

    from reasons

)

select * from final
