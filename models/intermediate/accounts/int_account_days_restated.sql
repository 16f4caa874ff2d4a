-- One row per account and local day whose restated metrics are made anew: those that the daily
-- usage marts hold, and the account's first day of all.

with

due as (

    select * from {{ ref('int_metrics_due') }}

),

activity as (

    select * from {{ ref('fct_account_activity_daily') }}

    where {{ in_share('account_id') }}

),

license_days as (

    select license_days.*

    from {{ ref('fct_licenses_daily') }} as license_days

    inner join due
        on license_days.account_id = due.account_id and license_days.day >= due.due_from

    where
        license_days.status in ('Active', 'Trial')
        and {{ in_share('license_days.account_id') }}

),

first_days as (

    select
        account_id,
        min(day) as first_day

    from activity

    group by account_id

),

seats_by_day as (

    select
        account_id,
        day,
        sum(seats_active) as active_seats

    from license_days

    group by account_id, day

),

activity_days as (

    -- The 30 days that end with a day begin before it is due.
    select
        activity.account_id,
        activity.day,
        activity.dau,
        activity.wau,
        activity.mau,
        activity.registered_users_30d,
        due.due_from,
        cast(
            sum(activity.dau) over (
                partition by activity.account_id
                order by activity.day
                rows between 29 preceding and current row
            ) as bigint
        ) as active_user_days_30d

    from activity

    inner join due on activity.account_id = due.account_id and activity.day >= due.due_from - 29

),

final as (

    select
        activity_days.* exclude (activity_days.due_from),
        first_days.first_day,
        cast(coalesce(seats_by_day.active_seats, 0) as bigint) as active_seats

    from activity_days

    inner join first_days on activity_days.account_id = first_days.account_id

    left join seats_by_day
        on
            activity_days.account_id = seats_by_day.account_id
            and activity_days.day = seats_by_day.day

    where activity_days.day >= activity_days.due_from

)

select * from final
