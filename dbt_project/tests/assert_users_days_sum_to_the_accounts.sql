-- Each user's use counts under one licence: by user, module and feature the time of a day is the
-- same, and that of the account's identified users; the last 60 days, so that the check stays
-- cheap.
with

by_user as (

    select
        account_id,
        day,
        cast(round(sum(active_seconds) * 1000000) as bigint) as active_us,
        sum(sessions) as sessions,
        sum(events) as events

    from {{ ref('fct_user_activity_daily') }}

    where day >= {{ as_of_day() }} - 60

    group by account_id, day

),

by_feature as (

    select
        account_id,
        day,
        cast(round(sum(active_seconds) * 1000000) as bigint) as active_us,
        sum(sessions) as sessions,
        sum(events) as events

    from {{ ref('fct_user_feature_daily') }}

    where day >= {{ as_of_day() }} - 60

    group by account_id, day

),

by_module as (

    select
        account_id,
        day,
        cast(round(sum(active_seconds) * 1000000) as bigint) as active_us,
        sum(sessions) as sessions,
        sum(events) as events

    from {{ ref('fct_user_module_daily') }}

    where day >= {{ as_of_day() }} - 60

    group by account_id, day

)

select
    accounts.account_id,
    accounts.day,
    accounts.identified_active_seconds,
    by_user.active_us as user_us,
    by_module.active_us as module_us,
    by_feature.active_us as feature_us

from {{ ref('fct_account_activity_daily') }} as accounts

left join by_user on accounts.account_id = by_user.account_id and accounts.day = by_user.day

left join by_module on accounts.account_id = by_module.account_id and accounts.day = by_module.day

left join by_feature
    on accounts.account_id = by_feature.account_id and accounts.day = by_feature.day

where
    accounts.day >= {{ as_of_day() }} - 60
    and (
        cast(round(accounts.identified_active_seconds * 1000000) as bigint)
        <> coalesce(by_user.active_us, 0)
        or coalesce(by_user.active_us, 0) <> coalesce(by_module.active_us, 0)
        or coalesce(by_user.active_us, 0) <> coalesce(by_feature.active_us, 0)
        or coalesce(by_user.sessions, 0) <> coalesce(by_module.sessions, 0)
        or coalesce(by_user.sessions, 0) <> coalesce(by_feature.sessions, 0)
        or coalesce(by_user.events, 0) <> coalesce(by_module.events, 0)
        or coalesce(by_user.events, 0) <> coalesce(by_feature.events, 0)
    )
