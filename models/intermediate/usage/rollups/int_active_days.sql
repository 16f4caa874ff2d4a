-- One row per account and local day with activity, and the first daily row that may know of it.

with

actor_days as (

    select * from {{ ref('int_actor_days') }}

    where is_active

),

due as (

    select * from {{ ref('int_usage_days_due') }}

),

final as (

    select
        actor_days.account_id,
        actor_days.day,
        greatest(actor_days.day, min(actor_days.active_known_day)) as first_day

    from actor_days

    inner join due on actor_days.account_id = due.account_id and actor_days.day = due.day

    group by actor_days.account_id, actor_days.day

)

select * from final
