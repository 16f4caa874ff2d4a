-- One row per account, local day and day from which events of it were known: that somebody's events
-- landed, whoever it was. It moves an account's first day, and says whether a source sends logins.

with

events as (

    select * from {{ ref('int_events_linked') }}

),

due as (

    select * from {{ ref('int_usage_days_due') }}

),

final as (

    select
        events.account_id,
        events.day,
        events.known_day,
        bool_or(events.event_type = 'login') as has_login

    from events

    inner join due on events.account_id = due.account_id and events.day = due.day

    group by events.account_id, events.day, events.known_day

)

select * from final
