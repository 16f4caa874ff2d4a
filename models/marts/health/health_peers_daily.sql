-- One row per benchmark, group of active accounts, metric and local day of the last 180: what the
-- group's accounts have, where they are six or more. Benchmarks are the health profile, and the
-- segment (tier and size band as known on the day); metrics are those that the health seeds read,
-- and the health score. The account itself is left out in account_metrics, not here.

with

metrics as (

    select * from {{ ref('account_metrics_daily') }}

    where
        day >= {{ as_of_day() }} - 180
        and account_status in ('customer', 'past_due')

),

health as (

    select * from {{ ref('fct_account_health_daily') }}

    where day >= {{ as_of_day() }} - 180

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

companies as (

    select
        account_id,
        {{ segment('tier') }} as tier,
        {{ segment('size_band') }} as size_band,
        {{ known_day('known_from') }} as first_day,
        {{ known_day('known_until') }} - 1 as last_day

    from {{ ref('int_companies_known') }}

),

read_metrics as (

    select metric
    from conditions
    where scope is null and metric is not null
    union
    select metric
    from parts
    where scope is null
    union
    select metric
    from caps
    where scope is null

),

told as (

    select
        account_id,
        day,
        metric,
        value
    from (
        unpivot metrics
        on cast(columns(* exclude (account_id, day, account_status)) as double)
        into name metric value value
    )

),

values_read as (

    select told.*

    from told

    inner join read_metrics on told.metric = read_metrics.metric

    union all

    select
        health.account_id,
        health.day,
        'health_score' as metric,
        cast(health.score as double) as value

    from health

    inner join metrics on health.account_id = metrics.account_id and health.day = metrics.day

    where health.score is not null

),

members as (

    select
        metrics.account_id,
        metrics.day,
        'profile' as benchmark,
        health.profile as group_name

    from metrics

    inner join health on metrics.account_id = health.account_id and metrics.day = health.day

    union all

    select
        metrics.account_id,
        metrics.day,
        'segment' as benchmark,
        companies.tier || ' / ' || companies.size_band as group_name

    from metrics

    inner join companies
        on
            metrics.account_id = companies.account_id
            and metrics.day between companies.first_day and companies.last_day

),

grouped as (

    select
        members.benchmark,
        members.group_name,
        values_read.metric,
        values_read.day,
        count(*) as accounts,
        quantile_cont(values_read.value, [0, 0.25, 0.5, 0.75, 1]) as quartiles

    from members

    inner join values_read
        on members.account_id = values_read.account_id and members.day = values_read.day

    group by members.benchmark, members.group_name, values_read.metric, values_read.day

    having count(*) >= 6

),

final as (

    select
        benchmark,
        group_name,
        metric,
        day,
        accounts,
        quartiles[1] as min_value,
        quartiles[2] as p25_value,
        quartiles[3] as median_value,
        quartiles[4] as p75_value,
        quartiles[5] as max_value

    from grouped

)

select * from final
