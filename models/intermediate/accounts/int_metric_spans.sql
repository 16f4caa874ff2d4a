-- One row per basis, metric and thing that tells of it, with the days in whose rows it counts: a
-- metric's value on a day is the sum of the spans over it, or the latest or earliest of their
-- value_on. Basis as_known counts what was known at each day's end, and only of the days that are
-- due; restated counts what is known now. What of the daily usage marts is restated stands there
-- alone. A new metric is one more branch, here or in int_metric_billing, int_metric_relations or
-- int_metric_tickets, or a column of int_metric_usage; models/README.md names all that it touches.

{{ config(materialized='table') }}

with

user_spans as (

    select * from {{ ref('int_user_spans') }}

    where basis = 'as_known'

),

due as (

    select * from {{ ref('int_accounts_due') }}

),

event_type_days as (

    select * from {{ ref('int_event_type_days') }}

),

tickets as (

    select * from {{ ref('int_metric_tickets') }}

),

billing as (

    select * from {{ ref('int_metric_billing') }}

),

relations as (

    select * from {{ ref('int_metric_relations') }}

),

late_event_days as (

    select distinct
        account_id,
        day,
        first_day

    from event_type_days

    where first_day > day

),

told as (

    select * from tickets

    union all by name

    select
        basis,
        account_id,
        measure as metric,
        1 as value,
        first_day,
        last_day

    from user_spans

    union all by name

    -- A day's use counts for 60 days at most.
    select
        'restated' as basis,
        account_id,
        'known_late_on' as metric,
        first_day as value_on,
        day as first_day,
        least(day + 59, first_day - 1) as last_day

    from late_event_days

    union all by name

    select * from billing

    union all by name

    select * from relations

),

turns as (

    -- A version begins to count and ends to; one that repeats what another said changes nothing.
    select
        account_id,
        metric,
        thing,
        value,
        value_on,
        first_day,
        last_day,
        {{ known_day('known_from') }} as turned_on,
        1 as change
    from told
    where basis = 'told'
    union all
    select
        account_id,
        metric,
        thing,
        value,
        value_on,
        first_day,
        last_day,
        {{ known_day('known_until') }} as turned_on,
        -1 as change
    from told
    where basis = 'told' and known_until < {{ as_of() }}

),

turned as (

    select
        * exclude (change),
        sum(change) as change

    from turns

    group by all

    having sum(change) <> 0

),

held as (

    select
        account_id,
        first_day,
        last_day,
        turned_on,
        lag(turned_on) over so_far as turned_before_on,
        sum(change) over so_far - change as held_before,
        sum(change) over alike as held_now,
        max(turned_on) over alike as settled_on

    from turned

    window
        alike as (partition by account_id, metric, thing, value, value_on, first_day, last_day),
        so_far as (alike order by turned_on rows unbounded preceding)

),

known_late as (

    -- The days that were shown with another number of such versions than are known now, and since
    -- when these are known.
    select distinct
        'restated' as basis,
        account_id,
        'known_late_on' as metric,
        settled_on as value_on,
        greatest(first_day, turned_before_on) as first_day,
        least(last_day, turned_on - 1) as last_day

    from held

    where held_before <> held_now

),

counting as (

    select * from told

    where basis <> 'told'

    union all by name

    select * from known_late

),

bounded as (

    select
        counting.basis,
        counting.account_id,
        counting.metric,
        counting.thing,
        counting.value,
        counting.value_on,
        counting.first_day,
        coalesce(counting.last_day, cast('9999-01-01' as date)) as last_day

    from counting

    left join due on counting.account_id = due.account_id

    where
        counting.first_day <= coalesce(counting.last_day, counting.first_day)
        and (
            counting.basis = 'restated'
            or coalesce(counting.last_day, cast('9999-01-01' as date)) >= due.due_from
        )

),

reached as (

    -- What counts once on a day, however many of its spans reach that day.
    select
        *,
        max(last_day) over (
            partition by basis, account_id, metric, thing
            order by first_day, last_day
            rows between unbounded preceding and 1 preceding
        ) as reached_day

    from bounded

    where thing is not null

),

spans as (

    select * from bounded

    where thing is null

    union all by name

    select * replace (greatest(first_day, coalesce(reached_day + 1, first_day)) as first_day)

    from reached

),

final as (

    select
        basis,
        account_id,
        metric,
        cast(value as decimal(18, 4)) as value,
        value_on,
        first_day,
        last_day

    from spans

    where first_day <= last_day

)

select * from final
