-- One row per account, name of a custom event and full local day with one.

with

event_type_days as (

    select * from {{ ref('int_event_type_days') }}

    where event_type = 'custom' and day < {{ as_of_day() }}

),

accounts as (

    select * from {{ ref('int_accounts_dated') }}

    where merged_day is null

),

published as (

    select * from {{ ref('int_usage_days_published') }}

),

kept as (

    select event_type_days.*

    from event_type_days

    semi join published
        on event_type_days.account_id = published.account_id and event_type_days.day = published.day

    semi join accounts on event_type_days.account_id = accounts.account_id

),

final as (

    select
        account_id,
        coalesce(event_name, '(none)') as event_name,
        day,
        cast(sum(quantity) as bigint) as interaction_count,
        count(distinct user_id) as users,
        count(distinct actor_id) filter (where actor_id like 'anonymous %') as anonymous_users

    from kept

    group by account_id, coalesce(event_name, '(none)'), day

)

select * from final
