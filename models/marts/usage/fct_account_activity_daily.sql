-- One row per account per local day, gaps filled with zeros: who came, for how long, and how often.
-- Users are identified ones; the account's own totals hold anonymous and nameless use too. All that
-- is known now: what was shown on a day stands in account_metrics_daily.

{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='append_new_columns',
    full_refresh=false,
    tags=['kept'],
    pre_hook="{{ forget_from_due(ref('int_accounts_due'), 'day') }}",
) }}

with

account_days as (

    select * from {{ ref('int_account_days_due') }}

    where merged_day is null

),

due as (

    select * from {{ ref('int_accounts_due') }}

),

actor_days as (

    select actor_days.*

    from {{ ref('int_actor_days') }} as actor_days

    inner join due
        on actor_days.account_id = due.account_id and actor_days.day >= due.due_from

),

actor_months as (

    select * from {{ ref('int_actor_months') }}

),

session_days as (

    select * from {{ ref('int_session_days') }}

),

user_spans as (

    select * from {{ ref('int_user_spans') }}

),

login_source as (

    select * from {{ ref('int_login_source') }}

),

watermarks as (

    select * from {{ ref('int_source_watermarks_daily') }}

),

deltas as (

    select
        account_id,
        measure,
        first_day as day,
        1 as change
    from user_spans
    where basis = 'restated'
    union all
    select
        account_id,
        measure,
        last_day + 1 as day,
        -1 as change
    from user_spans
    where basis = 'restated'

),

deltas_by_day as (

    select
        account_id,
        day,
        sum(change) filter (where measure = 'dau') as dau,
        sum(change) filter (where measure = 'wau') as wau,
        sum(change) filter (where measure = 'mau') as mau,
        sum(change) filter (where measure = 'registered_users') as registered_users,
        sum(change) filter (where measure = 'registered_users_30d') as registered_users_30d

    from deltas

    group by account_id, day

),

totals as (

    select
        account_id,
        day,
        sum(active_us) as active_us,
        sum(active_us) filter (where user_id is not null) as identified_us,
        count_if(is_active and actor_id like 'anonymous %') as anonymous_users,
        sum(login_count) as login_count,
        sum(session_count) as session_count,
        sum(error_count) as error_count,
        max(last_login_at) as last_login_at,
        max(last_session_at) as last_session_at,
        max(last_activity_at) as last_activity_at

    from actor_days

    group by account_id, day

),

before as (

    -- The last login and activity in the months that stay as they are.
    select
        actor_months.account_id,
        max(actor_months.last_login_at) as last_login_at,
        max(actor_months.last_session_at) as last_session_at,
        max(actor_months.last_activity_at) as last_activity_at

    from actor_months

    inner join due
        on actor_months.account_id = due.account_id and actor_months.month < due.due_from

    group by actor_months.account_id

),

session_lengths as (

    select
        account_id,
        day,
        sessions_us / session_count / 1000000 as mean_session_length,
        median_session_us / 1000000 as median_session_length

    from session_days

),

reached as (

    select max(watermark_on) as watermark_on from watermarks

    where source_name = 'events'

),

running as (

    select
        account_days.account_id,
        account_days.day,
        account_days.day < account_days.created_on as is_before_creation,
        not login_source.has_logins as login_is_inferred,
        coalesce(account_days.day <= reached.watermark_on, false) as is_data_complete,
        sum(coalesce(deltas_by_day.dau, 0)) over account_so_far as dau,
        sum(coalesce(deltas_by_day.wau, 0)) over account_so_far as wau,
        sum(coalesce(deltas_by_day.mau, 0)) over account_so_far as mau,
        sum(coalesce(deltas_by_day.registered_users, 0)) over account_so_far as registered_users,
        sum(coalesce(deltas_by_day.registered_users_30d, 0))
            over account_so_far as registered_users_30d,
        coalesce(totals.active_us, 0) as active_us,
        coalesce(totals.identified_us, 0) as identified_us,
        coalesce(totals.anonymous_users, 0) as anonymous_users,
        coalesce(
            case when login_source.has_logins then totals.login_count else totals.session_count end,
            0
        ) as logins,
        coalesce(totals.session_count, 0) as sessions,
        coalesce(totals.error_count, 0) as errors,
        session_lengths.mean_session_length,
        session_lengths.median_session_length,
        greatest(
            case
                when login_source.has_logins then before.last_login_at
                else before.last_session_at
            end,
            last_value(
                case
                    when login_source.has_logins then totals.last_login_at
                    else totals.last_session_at
                end
                ignore nulls
            ) over account_so_far
        ) as last_login_at,
        greatest(
            before.last_activity_at,
            last_value(totals.last_activity_at ignore nulls) over account_so_far
        ) as last_activity_at

    from account_days

    cross join login_source

    cross join reached

    left join deltas_by_day
        on
            account_days.account_id = deltas_by_day.account_id
            and account_days.day = deltas_by_day.day

    left join totals
        on account_days.account_id = totals.account_id and account_days.day = totals.day

    left join before on account_days.account_id = before.account_id

    left join session_lengths
        on
            account_days.account_id = session_lengths.account_id
            and account_days.day = session_lengths.day

    window
        account_so_far as (
            partition by account_days.account_id
            order by account_days.day
            rows unbounded preceding
        )

),

final as (

    select
        account_id,
        day,
        cast(dau as bigint) as dau,
        cast(wau as bigint) as wau,
        cast(mau as bigint) as mau,
        cast(registered_users as bigint) as registered_users,
        cast(registered_users_30d as bigint) as registered_users_30d,
        cast(active_us / 1000000 as double) as active_seconds,
        cast(identified_us / 1000000 as double) as identified_active_seconds,
        cast(identified_us / nullif(dau, 0) / 1000000 as double) as time_per_active_user,
        cast(logins as bigint) as logins,
        cast(sessions as bigint) as sessions,
        cast(mean_session_length as double) as mean_session_length,
        cast(median_session_length as double) as median_session_length,
        cast(errors as bigint) as errors,
        cast(anonymous_users as bigint) as anonymous_users,
        cast(dau / nullif(dau + anonymous_users, 0) as double) as identified_user_ratio,
        is_before_creation,
        login_is_inferred,
        is_data_complete,
        last_login_at,
        last_activity_at

    from running

)

select * from final
