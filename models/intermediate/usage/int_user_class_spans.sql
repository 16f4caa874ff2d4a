-- One row per account, user, measure and unbroken run of days at whose end the user counts in it,
-- so that a week's users by class are a running sum (spec 30, "Definitions"). very_active is part
-- of active, that of logged_in (in 3 calendar months); new never logged in; seen was ever active.
-- Runs begin no earlier than the day from which the account is due.

{{ config(materialized='table', tags=['kept']) }}

{% set half_an_hour = 30 * 60 * 1000000 %}

with

due as (

    select * from {{ ref('int_accounts_due') }}

),

actor_days as (

    -- Three calendar months have at most 92 days.
    select actor_days.*

    from {{ ref('int_actor_days') }} as actor_days

    inner join due
        on
            actor_days.account_id = due.account_id
            and actor_days.day >= due.due_from - 92

    where actor_days.user_id is not null and actor_days.day < {{ as_of_day() }}

),

login_source as (

    select * from {{ ref('int_login_source') }}

),

users as (

    select
        *,
        {{ local_day('first_login_at') }} as first_login_on,
        {{ local_day('first_seen_at') }} as first_seen_on

    from {{ ref('int_users_known') }}

    where not is_anonymous

),

registered as (

    select * from {{ ref('int_user_spans') }}

    where measure = 'registered_users_30d' and basis = 'restated'

),

login_days as (

    select
        actor_days.account_id,
        actor_days.user_id,
        actor_days.day,
        epoch_us(
            case
                when login_source.has_logins then actor_days.first_login_at
                else actor_days.first_session_at
            end
        ) as first_us,
        epoch_us(
            case
                when login_source.has_logins then actor_days.last_login_at
                else actor_days.last_session_at
            end
        ) as last_us

    from actor_days

    cross join login_source

    where
        case
            when login_source.has_logins then actor_days.first_login_at
            else actor_days.first_session_at
        end is not null

),

preceded as (

    select
        *,
        lag(day) over user_days as day_before,
        lag(first_us) over user_days as first_us_before,
        lag(day, 2) over user_days as day_before_that

    from login_days

    window user_days as (partition by account_id, user_id order by day)

),

paired as (

    -- The latest day with a login at least half an hour before this day's last one; two login days
    -- back it always is.
    select
        account_id,
        user_id,
        day,
        case
            when last_us - first_us >= {{ half_an_hour }} then day
            when last_us - first_us_before >= {{ half_an_hour }} then day_before
            else day_before_that
        end as paired_day

    from preceded

),

marks as (

    select
        account_id,
        user_id,
        'logged_in' as measure,
        day

    from login_days

    union all

    select
        account_id,
        user_id,
        'new' as measure,
        registered_on as day

    from users

    where registered_on is not null

),

ageing as (

    -- The day after which three calendar months from a mark are over: months clamp, so that what
    -- lies three months before 28 February may be 28 November, and never the 29th or 30th.
    select
        account_id,
        user_id,
        measure,
        day,
        cast(day + 1 + interval 3 month as date)
        + case when day(day + 1 + interval 3 month) < day(day + 1) then 1 else 0 end
        - 2 as last_day

    from marks

),

spans as (

    select
        account_id,
        user_id,
        'very_active' as measure,
        day as first_day,
        paired_day + 6 as last_day

    from paired

    union all

    select
        account_id,
        user_id,
        'active' as measure,
        day as first_day,
        paired_day + 29 as last_day

    from paired

    union all

    select
        account_id,
        user_id,
        measure,
        day as first_day,
        last_day

    from ageing

    where measure = 'logged_in'

    union all

    select
        ageing.account_id,
        ageing.user_id,
        ageing.measure,
        ageing.day as first_day,
        least(ageing.last_day, users.first_login_on - 1) as last_day

    from ageing

    inner join users
        on
            ageing.account_id = users.account_id
            and ageing.user_id = users.user_id
            and ageing.measure = 'new'

    union all

    select
        account_id,
        user_id,
        'seen' as measure,
        first_seen_on as first_day,
        cast('9999-01-01' as date) as last_day

    from users

),

reached as (

    select
        *,
        max(last_day) over (
            partition by account_id, user_id, measure
            order by first_day, last_day
            rows between unbounded preceding and 1 preceding
        ) as reached_day

    from spans

    where first_day <= last_day

),

numbered as (

    select
        *,
        sum(case when first_day <= reached_day + 1 then 0 else 1 end) over (
            partition by account_id, user_id, measure
            order by first_day asc, last_day asc, reached_day asc nulls first
            rows unbounded preceding
        ) as span_number

    from reached

),

runs as (

    select
        account_id,
        user_id,
        measure,
        min(first_day) as first_day,
        max(last_day) as last_day

    from numbered

    group by account_id, user_id, measure, span_number

),

final as (

    -- Whoever is not registered counts nowhere.
    select
        runs.account_id,
        runs.user_id,
        runs.measure,
        greatest(runs.first_day, registered.first_day) as first_day,
        least(runs.last_day, registered.last_day) as last_day

    from runs

    inner join registered
        on
            runs.account_id = registered.account_id
            and runs.user_id = registered.user_id
            and runs.first_day <= registered.last_day
            and runs.last_day >= registered.first_day

)

select * from final
