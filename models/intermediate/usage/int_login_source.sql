-- One row per build: whether any event says that somebody logged in. Where none does, the first
-- event of a session stands for a login (spec 00, "login").

with

event_days as (

    select * from {{ ref('int_event_days') }}

),

final as (

    select coalesce(bool_or(has_login), false) as has_logins from event_days

)

select * from final
