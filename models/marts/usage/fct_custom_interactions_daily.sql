-- One row per account, name of a custom event and full local day with one.

with

event_type_days as (

    select * from {{ ref('int_event_type_days') }}

    where event_type = 'custom' and day < {{ as_of_day() }}

),

final as (

    select
        account_id,
        coalesce(event_name, '(none)') as event_name,
        day,
        cast(sum(quantity) as bigint) as interaction_count,
        count(distinct user_id) as users,
        count(distinct actor_id) filter (where actor_id like 'anonymous %') as anonymous_users

    from event_type_days

    group by account_id, coalesce(event_name, '(none)'), day

)

select * from final
