-- One row per account, local day that no release has shown yet, metric and scope that the health
-- seeds, an alert rule or a chart name: use of one module or feature, or how often an event of one
-- name happened, over the metric's own window of days, as known at the day's end.

with

metrics as (

    select * from {{ ref('account_metrics_daily') }}

),

recorded as (

    select * from {{ ref('stg_history__fct_account_health_daily') }}

),

conditions as (

    select * from {{ ref('health_conditions') }}

),

parts as (

    select * from {{ ref('health_condition_parts') }}

),

caps as (

    select * from {{ ref('health_caps') }}

),

alert_rules as (

    select * from {{ ref('alert_rules') }}

    where coalesce(enabled, true) and scope is not null

),

chart_metrics as (

    select * from {{ ref('chart_metrics') }}

    where coalesce(enabled, true)

),

module_catalogue as (

    select * from {{ ref('module_catalogue') }}

),

use_days as (

    select * from {{ ref('int_use_days') }}

),

event_type_days as (

    select * from {{ ref('int_event_type_days') }}

),

watermarks as (

    select * from {{ ref('int_source_watermarks_daily') }}

    where source_name = 'events'

),

listed_scopes as (

    select
        metric,
        trim(unnest(string_split(scope, '|'))) as scope
    from alert_rules
    union all
    select
        metric,
        scope
    from chart_metrics

),

named as (

    select
        metric,
        scope
    from conditions
    union
    select
        metric,
        scope
    from parts
    union
    select
        metric,
        scope
    from caps
    union
    select
        metric,
        scope
    from listed_scopes
    where scope != 'module:*'
    union
    select
        listed_scopes.metric,
        'module:' || module_catalogue.module as scope
    from listed_scopes
    inner join module_catalogue on listed_scopes.scope = 'module:*'

),

pairs as (

    select
        metric,
        scope,
        starts_with(metric, 'days_used_') as counts_days,
        cast(regexp_extract(metric, '_(\d+)d$', 1) as integer) as window_days

    from named

    where scope is not null

),

last_shown as (

    select coalesce(max(day), cast('1900-01-01' as date)) as last_day from recorded

),

days as (

    select
        metrics.account_id,
        metrics.day

    from metrics

    inner join last_shown on metrics.day > last_shown.last_day

),

quantities as (

    select
        account_id,
        'module:' || module as scope,
        day,
        first_day,
        use_count as quantity
    from use_days
    union all
    select
        account_id,
        'feature:' || feature as scope,
        day,
        first_day,
        use_count as quantity
    from use_days
    union all
    select
        account_id,
        'event:' || event_name as scope,
        day,
        first_day,
        quantity
    from event_type_days

),

counted as (

    -- A day of use counts once, from the first daily row that knows of it. Of scopes that nobody
    -- names nothing is counted: they are nearly all.
    select
        quantities.account_id,
        quantities.scope,
        quantities.day,
        quantities.first_day,
        sum(quantities.quantity) as quantity,
        case
            when
                row_number() over (
                    partition by quantities.account_id, quantities.scope, quantities.day
                    order by quantities.first_day
                ) = 1
                then 1
            else 0
        end as first_known

    from quantities

    semi join pairs on quantities.scope = pairs.scope

    group by quantities.account_id, quantities.scope, quantities.day, quantities.first_day

),

spans as (

    -- The days in whose rows a use counts; what began before the first day that is asked for
    -- counts from that one on.
    select
        counted.account_id,
        pairs.metric,
        pairs.scope,
        case when pairs.counts_days then counted.first_known else counted.quantity end as value,
        greatest(counted.first_day, last_shown.last_day + 1) as first_day,
        counted.day + pairs.window_days - 1 as last_day

    from counted

    inner join pairs on counted.scope = pairs.scope

    cross join last_shown

    where
        counted.day + pairs.window_days - 1
        >= greatest(counted.first_day, last_shown.last_day + 1)

),

first_days as (

    select
        account_id,
        min(day) as first_day

    from days

    group by account_id

),

deltas as (

    select
        spans.account_id,
        spans.metric,
        spans.scope,
        greatest(spans.first_day, first_days.first_day) as day,
        spans.value

    from spans

    inner join first_days on spans.account_id = first_days.account_id

    union all

    select
        spans.account_id,
        spans.metric,
        spans.scope,
        greatest(spans.last_day + 1, first_days.first_day) as day,
        -spans.value as value

    from spans

    inner join first_days on spans.account_id = first_days.account_id

),

deltas_by_day as (

    select
        account_id,
        metric,
        scope,
        day,
        sum(value) as value

    from deltas

    group by all

),

summed as (

    select
        days.account_id,
        days.day,
        pairs.metric,
        pairs.scope,
        sum(coalesce(deltas_by_day.value, 0)) over (
            partition by days.account_id, pairs.metric, pairs.scope
            order by days.day
            rows unbounded preceding
        ) as value

    from days

    cross join pairs

    left join deltas_by_day
        on
            days.account_id = deltas_by_day.account_id
            and days.day = deltas_by_day.day
            and pairs.metric = deltas_by_day.metric
            and pairs.scope = deltas_by_day.scope

),

final as (

    -- Before any events had landed use is undefined, and not zero.
    select
        summed.account_id,
        summed.day,
        summed.metric,
        summed.scope,
        case when watermarks.day is not null then cast(summed.value as double) end as value

    from summed

    left join watermarks on summed.day = watermarks.day

)

select * from final
