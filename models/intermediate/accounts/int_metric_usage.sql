-- One row per basis, account and local day that is due on any basis: its metrics of use, and the
-- latest active and login day. What was known on its day is the same on both bases and stands once,
-- under `both`, on every day from the first use on: windows over days without a gap. What was known
-- late has rows of its own from the first day on that it changes, of what it adds; a basis is the
-- sum of both.

{{ config(
    materialized='table',
    tags=['restated'],
    meta={'in_shares': true},
    pre_hook="{{ share_out(ref('int_metrics_due'), ref('int_accounts_dated')) }}",
) }}

-- depends_on: {{ ref('int_accounts_dated') }}

{# What is summed up of which days before. #}
{% set in_time = {
    'dau': ('users', 'current row and current row'),
    'active_user_days_30d': ('users', '29 preceding and current row'),
    'active_days_7d': ('active_days', '6 preceding and current row'),
    'active_days_30d': ('active_days', '29 preceding and current row'),
    'use_count_7d': ('use_count', '6 preceding and current row'),
    'use_count_prior_7d': ('use_count', '13 preceding and 7 preceding'),
    'use_count_30d': ('use_count', '29 preceding and current row'),
    'use_count_prior_30d': ('use_count', '59 preceding and 30 preceding'),
    'error_count_30d': ('errors', '29 preceding and current row'),
} %}
{% set counts = in_time.keys() | list %}
{% set distincts = ['wau', 'modules_used_30d', 'features_used_30d'] %}
{% set latest = ['last_active_on', 'last_login_on'] %}

with

due as (

    select * from {{ ref('int_accounts_due') }}

),

restated_due as (

    select * from {{ ref('int_metrics_due') }}

),

due_on_any_basis as (

    select
        account_id,
        due_from
    from due
    union all
    select
        account_id,
        due_from
    from restated_due

),

bounds as (

    -- A window has 60 days at most: what happened and was known before has left them all by then.
    select
        account_id,
        min(due_from) as due_from,
        min(due_from) - 60 as first_day

    from due_on_any_basis

    where {{ in_share('account_id') }}

    group by account_id

),

actor_days as (

    -- Restated, the daily usage marts count users.
    select actor_days.*

    from {{ ref('int_actor_days') }} as actor_days

    inner join due
        on actor_days.account_id = due.account_id and actor_days.day >= due.due_from - 30

    where
        actor_days.user_id is not null
        and actor_days.is_active
        and {{ in_share('actor_days.account_id') }}

),

active_days as (

    select
        active_days.*,
        bounds.first_day as bound

    from {{ ref('int_active_days') }} as active_days

    inner join bounds on active_days.account_id = bounds.account_id

    where {{ in_share('active_days.account_id') }}

),

use_days as (

    select use_days.*

    from {{ ref('int_use_days') }} as use_days

    inner join bounds
        on
            use_days.account_id = bounds.account_id
            and greatest(use_days.day, use_days.first_day) >= bounds.first_day

    where {{ in_share('use_days.account_id') }}

),

event_type_days as (

    select
        event_type_days.*,
        bounds.first_day as bound

    from {{ ref('int_event_type_days') }} as event_type_days

    inner join bounds on event_type_days.account_id = bounds.account_id

    where
        event_type_days.event_type in ('error', 'login')
        and {{ in_share('event_type_days.account_id') }}

),

bases (basis, is_late) as (

    values ('both', false), ('as_known', true), ('restated', true)

),

windows (days_later, is_in_day, is_in_7d, is_in_prior_7d, is_in_30d, is_in_prior_30d) as (

    -- What enters (1) and leaves (-1) the windows so many days after a day.
    values
    (0, 1, 1, 0, 1, 0),
    (1, -1, 0, 0, 0, 0),
    (7, 0, -1, 1, 0, 0),
    (14, 0, 0, -1, 0, 0),
    (30, 0, 0, 0, -1, 1),
    (60, 0, 0, 0, 0, -1)

),

told as (

    -- known_day is the first daily row that may count it.
    select
        account_id,
        day,
        user_active_known_day as known_day,
        1 as users
    from actor_days

    union all by name

    select
        account_id,
        day,
        first_day as known_day,
        1 as active_days
    from active_days
    where greatest(day, first_day) >= bound

    union all by name

    -- Of the days before, the latest one is still asked for.
    select
        account_id,
        max(day) as day,
        max(day) as known_day,
        1 as active_days
    from active_days
    where greatest(day, first_day) < bound
    group by account_id

    union all by name

    select
        account_id,
        day,
        first_day as known_day,
        use_count
    from use_days

    union all by name

    select
        account_id,
        day,
        first_day as known_day,
        case when event_type = 'error' then quantity end as errors,
        event_type = 'login' as is_login
    from event_type_days
    where greatest(day, first_day) >= bound

    union all by name

    select
        account_id,
        max(day) as day,
        max(day) as known_day,
        true as is_login
    from event_type_days
    where greatest(day, first_day) < bound and event_type = 'login'
    group by account_id

),

days_told as (

    select
        account_id,
        day,
        known_day,
        cast(coalesce(sum(users), 0) as bigint) as users,
        cast(coalesce(sum(active_days), 0) as bigint) as active_days,
        cast(coalesce(sum(use_count), 0) as bigint) as use_count,
        cast(coalesce(sum(errors), 0) as bigint) as errors,
        coalesce(bool_or(is_login), false) as is_login

    from told

    group by account_id, day, known_day

),

things as (

    -- What counts once on a day, however often it was there in the days before.
    select distinct
        account_id,
        'wau' as metric,
        user_id as thing,
        day,
        day + 6 as last_day,
        user_active_known_day as known_day
    from actor_days

    union all

    select distinct
        account_id,
        'modules_used_30d' as metric,
        module as thing,
        day,
        day + 29 as last_day,
        first_day as known_day
    from use_days
    where module <> '(none)'

    union all

    select distinct
        account_id,
        'features_used_30d' as metric,
        module || ' / ' || feature as thing,
        day,
        day + 29 as last_day,
        first_day as known_day
    from use_days
    where feature <> '(none)'

),

late_things as (

    select distinct
        account_id,
        metric,
        thing

    from things

    where known_day > day

),

judged_things as (

    select
        things.*,
        late_things.thing is not null as is_late

    from things

    left join late_things
        on
            things.account_id = late_things.account_id
            and things.metric = late_things.metric
            and things.thing = late_things.thing

),

thing_spans as (

    select
        bases.basis,
        judged_things.account_id,
        judged_things.metric,
        judged_things.thing,
        case
            when bases.basis = 'as_known' then greatest(judged_things.day, judged_things.known_day)
            else judged_things.day
        end as first_day,
        judged_things.last_day

    from judged_things

    inner join bases on judged_things.is_late = bases.is_late

),

reached as (

    select
        *,
        max(last_day) over (
            partition by basis, account_id, metric, thing
            order by first_day, last_day
            rows between unbounded preceding and 1 preceding
        ) as reached_day

    from thing_spans

    where first_day <= last_day

),

stretches as (

    select * replace (greatest(first_day, coalesce(reached_day + 1, first_day)) as first_day)

    from reached

    where last_day > coalesce(reached_day, first_day - 1)

),

turns as (

    -- A thing begins and ceases to count.
    select
        basis,
        account_id,
        first_day as day,
        metric,
        1 as change
    from stretches
    union all
    select
        basis,
        account_id,
        last_day + 1 as day,
        metric,
        -1 as change
    from stretches

),

turned as (

    select
        basis,
        account_id,
        {%- for metric in distincts %}
            cast(sum(change) filter (where metric = '{{ metric }}') as bigint) as {{ metric }},
        {%- endfor %}
        day

    from turns

    group by basis, account_id, day

),

used_in_time as (

    -- What was before all windows stands on their first day: it tells the latest days alone.
    select
        days_told.account_id,
        cast(sum(days_told.users) as bigint) as users,
        cast(sum(days_told.active_days) as bigint) as active_days,
        cast(sum(days_told.use_count) as bigint) as use_count,
        cast(sum(days_told.errors) as bigint) as errors,
        max(case when days_told.active_days > 0 then days_told.day end) as last_active_on,
        max(case when days_told.is_login then days_told.day end) as last_login_on,
        greatest(days_told.day, bounds.first_day) as day

    from days_told

    inner join bounds on days_told.account_id = bounds.account_id

    where days_told.known_day <= days_told.day

    group by days_told.account_id, greatest(days_told.day, bounds.first_day)

),

first_used as (

    select
        account_id,
        min(day) as day

    from used_in_time

    group by account_id

),

use_grid as (

    select
        account_id,
        cast(
            unnest(generate_series(day, {{ as_of_day() }} - 1, interval 1 day)) as date
        ) as day

    from first_used

),

every_day as (

    select
        use_grid.account_id,
        use_grid.day,
        {%- for name in ['users', 'active_days', 'use_count', 'errors'] %}
            coalesce(used_in_time.{{ name }}, 0) as {{ name }},
        {%- endfor %}
        {%- for metric in distincts %}
            coalesce(turned.{{ metric }}, 0) as {{ metric }},
        {%- endfor %}
        used_in_time.last_active_on,
        used_in_time.last_login_on

    from use_grid

    left join used_in_time
        on use_grid.account_id = used_in_time.account_id and use_grid.day = used_in_time.day

    left join turned
        on
            use_grid.account_id = turned.account_id
            and use_grid.day = turned.day
            and turned.basis = 'both'

),

known_in_time as (

    select
        'both' as basis,
        account_id,
        {%- for metric, (name, days) in in_time.items() %}
            coalesce(
                sum({{ name }}) over (
                    partition by account_id order by day rows between {{ days }}
                ),
                0
            ) as {{ metric }},
        {%- endfor %}
        {%- for metric in distincts %}
            sum({{ metric }}) over account_so_far as {{ metric }},
        {%- endfor %}
        {%- for metric in latest %}
            last_value({{ metric }} ignore nulls) over account_so_far as {{ metric }},
        {%- endfor %}
        day

    from every_day

    window account_so_far as (partition by account_id order by day rows unbounded preceding)

),

late_changes as (

    select
        bases.basis,
        days_told.account_id,
        case
            when bases.basis = 'as_known'
                then greatest(days_told.day + windows.days_later, days_told.known_day)
            else days_told.day + windows.days_later
        end as day,
        days_told.users * windows.is_in_day as dau,
        days_told.users * windows.is_in_30d as active_user_days_30d,
        days_told.active_days * windows.is_in_7d as active_days_7d,
        days_told.active_days * windows.is_in_30d as active_days_30d,
        days_told.use_count * windows.is_in_7d as use_count_7d,
        days_told.use_count * windows.is_in_prior_7d as use_count_prior_7d,
        days_told.use_count * windows.is_in_30d as use_count_30d,
        days_told.use_count * windows.is_in_prior_30d as use_count_prior_30d,
        days_told.errors * windows.is_in_30d as error_count_30d,
        case when days_told.active_days > 0 and windows.is_in_30d = 1 then days_told.day end
            as last_active_on,
        case when days_told.is_login and windows.is_in_30d = 1 then days_told.day end
            as last_login_on

    from days_told

    cross join windows

    inner join bases on bases.is_late

    where days_told.known_day > days_told.day

    union all by name

    select * from turned

    where basis <> 'both'

),

changed_late as (

    select
        basis,
        account_id,
        {%- for metric in counts + distincts %}
            coalesce(sum({{ metric }}), 0) as {{ metric }},
        {%- endfor %}
        {%- for metric in latest %}
            max({{ metric }}) as {{ metric }},
        {%- endfor %}
        day

    from late_changes

    where day < {{ as_of_day() }}

    group by basis, account_id, day

),

known_late as (

    select
        basis,
        account_id,
        {%- for metric in counts + distincts %}
            sum({{ metric }}) over account_so_far as {{ metric }},
        {%- endfor %}
        {%- for metric in latest %}
            max({{ metric }}) over account_so_far as {{ metric }},
        {%- endfor %}
        day as first_day,
        lead(day) over (partition by basis, account_id order by day) as next_day

    from changed_late

    window
        account_so_far as (
            partition by basis, account_id order by day rows unbounded preceding
        )

),

told_apart as (

    select * from known_in_time

    union all by name

    select
        * exclude (first_day, next_day),
        cast(
            unnest(
                generate_series(
                    first_day, coalesce(next_day, {{ as_of_day() }}) - 1, interval 1 day
                )
            ) as date
        ) as day

    from known_late

),

final as (

    -- The windows of the days before reach back too far.
    select
        told_apart.basis,
        told_apart.account_id,
        {%- for metric in counts + distincts %}
            cast(told_apart.{{ metric }} as bigint) as {{ metric }},
        {%- endfor %}
        {%- for metric in latest %}
            told_apart.{{ metric }},
        {%- endfor %}
        told_apart.day

    from told_apart

    inner join bounds on told_apart.account_id = bounds.account_id

    where told_apart.day >= bounds.due_from

)

select * from final
