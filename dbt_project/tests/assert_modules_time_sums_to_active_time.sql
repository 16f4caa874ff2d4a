-- Invariant 23: the modules' seconds, with `(none)`, sum to the account's active seconds.
-- Its result is kept with the mart that it speaks of. depends_on: {{ ref('account_module_usage') }}
with

modules as (

    select
        account_id,
        day,
        sum(active_us) as active_us

    from {{ ref('int_module_days') }}

    group by account_id, day

),

actors as (

    select
        account_id,
        day,
        sum(active_us) as active_us

    from {{ ref('int_actor_days') }}

    group by account_id, day

)

select
    actors.account_id,
    actors.day,
    actors.active_us,
    modules.active_us as modules_us

from actors

full outer join modules
    on actors.account_id = modules.account_id and actors.day = modules.day

where actors.active_us is distinct from modules.active_us
