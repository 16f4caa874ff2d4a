-- One row per account and product user, anonymous visitors too, as of the as-of day: who it is,
-- when it was seen, and how active it is (spec 30, "Definitions").

with

users as (

    select * from {{ ref('int_users_known') }}

),

classes as (

    select * from {{ ref('int_users_classed') }}

),

windowed as (

    select * from {{ ref('int_actors_windowed') }}

),

recent_days as (

    select * from {{ ref('int_actor_days') }}

    where day >= {{ as_of_day() }} - 14 and day < {{ as_of_day() }}

),

accounts as (

    select * from {{ ref('dim_accounts') }}

),

counters as (

    select * from {{ ref('int_user_counters') }}

),

consents as (

    select * from {{ ref('stg_crm__consents') }}

    where is_latest and deleted_at is null and lower(purpose) = 'email_marketing'

),

flags as (

    select * from {{ ref('stg_crm__user_flags') }}

    where is_latest and deleted_at is null and lower(flag) in ('favourite', 'favorite')

),

owners as (

    select * from {{ ref('int_account_owners') }}

    where is_latest

),

seats as (

    select * from {{ ref('int_license_seats_held') }}

    where last_day = cast('9999-01-01' as date)

),

licenses as (

    select * from {{ ref('account_licenses') }}

    where status in ('Active', 'Trial')

),

netted_lines as (

    select * from {{ ref('int_invoice_lines_netted') }}

    where is_revenue and kind = 'one_time'

),

invoice_lines as (

    select * from {{ ref('stg_invoices__invoice_lines') }}

    where is_latest and user_id is not null

),

subjects as (

    -- A consent names a person by e-mail address or by user id.
    select
        account_id,
        actor_id,
        lower(trim(email)) as subject

    from users

    where not is_anonymous and email is not null

    union

    select
        account_id,
        actor_id,
        lower(user_id) as subject

    from users

    where not is_anonymous

),

consented as (

    -- The latest word holds; of two at one instant, the withdrawal.
    select
        subjects.account_id,
        subjects.actor_id,
        max_by(
            case when consents.withdrawn_at is null then 'granted' else 'withdrawn' end,
            struct_pack(
                at := coalesce(consents.withdrawn_at, consents.granted_at),
                is_withdrawn := consents.withdrawn_at is not null
            )
        ) as consent

    from subjects

    inner join consents on subjects.subject = lower(trim(consents.subject))

    group by subjects.account_id, subjects.actor_id

),

favourites as (

    select distinct
        coalesce(owners.owner_id, flags.account_id) as account_id,
        'user ' || flags.user_id as actor_id

    from flags

    left join owners on flags.account_id = owners.account_id

    where flags.cleared_at is null

),

licensed as (

    select distinct
        seats.account_id,
        'user ' || seats.user_id as actor_id

    from seats

    inner join licenses on seats.license_id = licenses.license_id

),

orders as (

    select
        netted_lines.account_id,
        'user ' || invoice_lines.user_id as actor_id,
        sum(netted_lines.net_amount) as net_amount

    from netted_lines

    inner join invoice_lines on netted_lines.line_id = invoice_lines.line_id

    group by netted_lines.account_id, invoice_lines.user_id

),

actions as (

    select
        account_id,
        actor_id,
        sum(action_count) as action_count

    from recent_days

    group by account_id, actor_id

),

averaged as (

    select
        users.account_id,
        users.actor_id,
        accounts.status,
        classes.is_registered,
        coalesce(actions.action_count, 0) as actions_14d,
        least(14, {{ as_of_day() }} - users.registered_on) as known_days_14d,
        coalesce(actions.action_count, 0)
        / nullif(least(14, {{ as_of_day() }} - users.registered_on), 0)
            as avg_daily_actions_14d

    from users

    inner join classes
        on users.account_id = classes.account_id and users.actor_id = classes.actor_id

    inner join accounts on users.account_id = accounts.account_id

    left join actions
        on users.account_id = actions.account_id and users.actor_id = actions.actor_id

),

engaged as (

    -- Ties share a rank, and who is under one action a day has nobody below.
    select
        *,
        case
            when not is_registered then null
            when avg_daily_actions_14d < 1 then 0
            else
                100
                * (rank() over (
                    partition by is_registered, status order by avg_daily_actions_14d
                ) - 1)
                / count(*) over (partition by is_registered, status)
        end as engagement_score

    from averaged

),

final as (

    select
        users.account_id,
        users.user_id,
        users.is_anonymous,
        users.email,
        users.full_name,
        users.created_via,
        users.sign_in_providers,
        coalesce(consented.consent, 'unknown') as email_marketing_consent,
        users.last_device,
        classes.class,
        cast(classes.class_order as bigint) as class_order,
        cast(classes.activity_rank as double) as activity_rank,
        cast(classes.account_activity_rank as double) as account_activity_rank,
        cast(engaged.actions_14d as bigint) as actions_14d,
        cast(engaged.known_days_14d as bigint) as known_days_14d,
        cast(engaged.avg_daily_actions_14d as double) as avg_daily_actions_14d,
        cast(engaged.engagement_score as double) as engagement_score,
        cast(coalesce(windowed.login_days_7d, 0) as bigint) as login_days_7d,
        cast(coalesce(windowed.login_days_30d, 0) as bigint) as login_days_30d,
        cast(coalesce(windowed.login_days_90d, 0) as bigint) as login_days_90d,
        cast(coalesce(windowed.sessions_7d, 0) as bigint) as sessions_7d,
        cast(coalesce(windowed.sessions_30d, 0) as bigint) as sessions_30d,
        cast(coalesce(windowed.sessions_90d, 0) as bigint) as sessions_90d,
        cast(coalesce(windowed.active_us_30d, 0) / 1000000 as double) as active_seconds_30d,
        cast(coalesce(counters.events, 0) as bigint) as lifetime_events,
        cast(coalesce(counters.errors, 0) as bigint) as lifetime_errors,
        cast(coalesce(counters.shares, 0) as bigint) as lifetime_shares,
        cast(coalesce(counters.comments, 0) as bigint) as lifetime_comments,
        cast(coalesce(counters.redemptions, 0) as bigint) as lifetime_redemptions,
        cast(coalesce(counters.push_notifications_received, 0) as bigint)
            as lifetime_push_notifications_received,
        cast(coalesce(orders.net_amount, 0) as decimal(18, 2)) as one_off_revenue_amount,
        classes.is_registered,
        classes.is_dormant,
        licensed.actor_id is not null as is_licensed,
        favourites.actor_id is not null as is_favourite,
        users.registered_on,
        users.created_at,
        users.deactivated_at,
        users.first_login_at,
        users.last_login_at,
        users.first_seen_at,
        users.last_seen_at

    from users

    inner join classes
        on users.account_id = classes.account_id and users.actor_id = classes.actor_id

    inner join engaged
        on users.account_id = engaged.account_id and users.actor_id = engaged.actor_id

    left join windowed
        on users.account_id = windowed.account_id and users.actor_id = windowed.actor_id

    left join counters
        on users.account_id = counters.account_id and users.actor_id = counters.actor_id

    left join consented
        on users.account_id = consented.account_id and users.actor_id = consented.actor_id

    left join favourites
        on users.account_id = favourites.account_id and users.actor_id = favourites.actor_id

    left join licensed
        on users.account_id = licensed.account_id and users.actor_id = licensed.actor_id

    left join orders on users.account_id = orders.account_id and users.actor_id = orders.actor_id

)

select * from final
