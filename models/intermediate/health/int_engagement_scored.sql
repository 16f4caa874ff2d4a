-- One row per account with health and local day that no release has shown yet: its engagement score
-- as known at the day's end (spec 30): what its users do on an average day of the last 14, or of as
-- many as it was known to be old, and 100 x the share of the accounts of its status that do less.

with

health as not materialized (

    select * from {{ ref('fct_account_health_daily') }}

),

metrics as not materialized (

    select * from {{ ref('account_metrics_daily') }}

),

recorded as (

    select * from {{ ref('stg_history__account_kpis_daily') }}

),

event_type_days as (

    select * from {{ ref('int_event_type_days') }}

),

non_activity as (

    select * from {{ ref('non_activity_event_types') }}

),

first_days as (

    select * from {{ ref('int_account_first_days') }}

),

asked_from as (

    select coalesce(max(day) + 1, cast('1900-01-01' as date)) as first_day from recorded

),

asked_days as (

    -- Joined by day, a scan passes over what was shown without reading it.
    select distinct health.day

    from health

    inner join asked_from on health.day >= asked_from.first_day

),

days as (

    select
        health.account_id,
        health.day,
        metrics.account_status

    from health

    inner join asked_days on health.day = asked_days.day

    inner join metrics on health.account_id = metrics.account_id and health.day = metrics.day

),

user_actions as (

    -- What users did, and the first row that may count it as theirs.
    select
        event_type_days.account_id,
        event_type_days.day,
        coalesce(event_type_days.user_first_day, event_type_days.first_day) as first_day,
        coalesce(event_type_days.user_first_day, event_type_days.first_day)
        > greatest(event_type_days.day, asked_from.first_day) as is_late,
        event_type_days.quantity

    from event_type_days

    inner join asked_from on event_type_days.day + 13 >= asked_from.first_day

    anti join non_activity on event_type_days.event_type = non_activity.event_type

    where event_type_days.user_id is not null

),

actions_in_time as (

    select
        account_id,
        day,
        sum(quantity) as actions

    from user_actions

    where not is_late

    group by account_id, day

),

actions_late as (

    -- Few: each stands on every day that counts it.
    select
        account_id,
        first_day,
        day + 13 as last_day,
        sum(quantity) as actions

    from user_actions

    where is_late and first_day <= day + 13

    group by account_id, first_day, day + 13

),

late_days as (

    select
        account_id,
        actions,
        cast(unnest(generate_series(first_day, last_day, interval 1 day)) as date) as day

    from actions_late

),

late_by_day as (

    select
        account_id,
        day,
        sum(actions) as actions

    from late_days

    group by account_id, day

),

acting_days as (

    -- The days before the first that is asked for are in its window.
    select
        coalesce(days.account_id, actions_in_time.account_id) as account_id,
        coalesce(days.day, actions_in_time.day) as day,
        days.account_status,
        coalesce(actions_in_time.actions, 0) as actions

    from days

    full outer join actions_in_time
        on days.account_id = actions_in_time.account_id and days.day = actions_in_time.day

),

acted as (

    select
        account_id,
        day,
        account_status,
        sum(actions) over (
            partition by account_id
            order by day - cast('2000-01-01' as date)
            range between 13 preceding and current row
        ) as actions_14d

    from acting_days

),

first_day_spans as (

    select
        account_id,
        first_day,
        known_day,
        lead(known_day, 1, cast('9999-01-01' as date)) over (
            partition by account_id order by known_day
        ) - 1 as last_day

    from first_days

),

averaged as (

    select
        acted.account_id,
        acted.day,
        acted.account_status,
        (acted.actions_14d + coalesce(late_by_day.actions, 0))
        / least(acted.day - first_day_spans.first_day + 1, 14) as avg_daily_actions

    from acted

    inner join first_day_spans
        on
            acted.account_id = first_day_spans.account_id
            and acted.day between first_day_spans.known_day and first_day_spans.last_day

    left join late_by_day
        on acted.account_id = late_by_day.account_id and acted.day = late_by_day.day

    where acted.account_status is not null

),

averages as (

    select
        day,
        account_status,
        avg_daily_actions,
        count(*) as accounts

    from averaged

    group by day, account_status, avg_daily_actions

),

placed as (

    -- Ties share it, and who is under one action a day has nobody below.
    select
        day,
        account_status,
        avg_daily_actions,
        case
            when avg_daily_actions < 1 then 0
            else
                100
                * coalesce(
                    sum(accounts) over (
                        partition by day, account_status
                        order by avg_daily_actions
                        rows between unbounded preceding and 1 preceding
                    ),
                    0
                )
                / sum(accounts) over (partition by day, account_status)
        end as engagement_score

    from averages

),

final as (

    select
        averaged.account_id,
        averaged.day,
        cast(placed.engagement_score as decimal(9, 6)) as engagement_score

    from averaged

    inner join placed
        on
            averaged.day = placed.day
            and averaged.account_status = placed.account_status
            and averaged.avg_daily_actions = placed.avg_daily_actions

)

select * from final
