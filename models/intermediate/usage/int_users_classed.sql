-- One row per account and product user: its activity class and rank as of the as-of day (spec 30,
-- "Definitions"). Two or more logins lie at least 30 minutes apart where the first and the last do.
-- Who is not registered in the last 30 days, or anonymous, has no rank; anonymous visitors have no
-- class.

{{ config(materialized='table') }}

{% set half_an_hour = 30 * 60 * 1000000 %}

with

users as (

    select
        *,
        {{ local_day('last_login_at') }} as last_login_on,
        {{ local_day('last_seen_at') }} as last_seen_on

    from {{ ref('int_users_known') }}

),

windowed as (

    select * from {{ ref('int_actors_windowed') }}

),

registered as (

    select * from {{ ref('int_user_spans') }}

    where
        measure = 'registered_users_30d'
        and basis = 'restated'
        and {{ as_of_day() }} - 1 between first_day and last_day

),

accounts as (

    select * from {{ ref('dim_accounts') }}

),

classed as (

    select
        users.account_id,
        users.actor_id,
        registered.user_id is not null as is_registered,
        registered.user_id is not null
        and accounts.status in ('customer', 'past_due') as is_canonical,
        coalesce(windowed.active_us_30d, 0) as active_us_30d,
        case
            when users.is_anonymous then null
            when windowed.login_span_us_7d >= {{ half_an_hour }} then 'very_active'
            when windowed.login_span_us_30d >= {{ half_an_hour }} then 'active'
            when
                users.last_login_on is null
                and users.registered_on >= {{ as_of_day() }} - interval 3 month
                then 'new'
            when
                users.last_login_on is null
                or users.last_login_on < {{ as_of_day() }} - interval 3 month
                then 'sleeper'
            else 'occasional'
        end as class,
        registered.user_id is not null
        and coalesce(users.last_seen_on < {{ as_of_day() }} - 30, true) as is_dormant

    from users

    left join windowed
        on users.account_id = windowed.account_id and users.actor_id = windowed.actor_id

    left join registered
        on
            users.account_id = registered.account_id
            and users.user_id = registered.user_id
            and not users.is_anonymous

    left join accounts on users.account_id = accounts.account_id

),

ranked as (

    -- Ties share a rank, and who has no time has nobody below: 0.
    select
        *,
        rank() over (partition by is_canonical order by active_us_30d) - 1 as users_below,
        count(*) over (partition by is_canonical) as users,
        rank() over (partition by account_id, is_registered order by active_us_30d)
        - 1 as account_users_below,
        count(*) over (partition by account_id, is_registered) as account_users

    from classed

),

final as (

    select
        account_id,
        actor_id,
        is_registered,
        is_dormant,
        class,
        case class
            when 'very_active' then 1
            when 'active' then 2
            when 'occasional' then 3
            when 'new' then 4
            when 'sleeper' then 5
        end as class_order,
        case when is_canonical then 100 * users_below / users end as activity_rank,
        case
            when is_registered then 100 * account_users_below / account_users
        end as account_activity_rank

    from ranked

)

select * from final
