-- One row per metric and thing that adds a value to it, with the days in whose rows it counts, as
-- known then: a metric's value on a day is the sum of the spans over it. A new metric of this kind
-- is one more branch here; its definition is in the YAML of account_metrics_daily.

with

user_spans as (

    select * from {{ ref('int_user_spans') }}

),

due as (

    select * from {{ ref('int_accounts_due') }}

),

active_days as (

    -- The days before count in windows of 30 days, and in those before these.
    select active_days.*

    from {{ ref('int_active_days') }} as active_days

    inner join due
        on active_days.account_id = due.account_id and active_days.day >= due.due_from - 29

),

use_days as (

    select use_days.*

    from {{ ref('int_use_days') }} as use_days

    inner join due
        on use_days.account_id = due.account_id and use_days.day >= due.due_from - 59

),

item_amounts as (

    select * from {{ ref('int_subscription_items_rated') }}

),

subscription_phases as (

    select * from {{ ref('int_subscription_phases') }}

),

tickets as (

    select * from {{ ref('int_ticket_open_spans') }}

),

phases as (

    select * from subscription_phases

    where policy = 'standard'

),

uses as (

    select
        account_id,
        day,
        first_day,
        sum(use_count) as use_count

    from use_days

    group by account_id, day, first_day

),

module_uses as (

    select
        account_id,
        module,
        first_day,
        max(day) + 29 as last_day

    from use_days

    where module <> '(none)'

    group by account_id, module, first_day

),

module_reached as (

    select
        *,
        max(last_day) over (
            partition by account_id, module
            order by first_day, last_day
            rows between unbounded preceding and 1 preceding
        ) as reached_day

    from module_uses

    where first_day <= last_day

),

states as (

    -- In force on day d: begun before the end of d, and not over before it (spec 00, "Time").
    select
        account_id,
        'mrr' as metric,
        amount as value,
        starts_at,
        ends_at,
        known_from,
        known_until

    from item_amounts

    where policy = 'standard' and rule is null

    union all

    select
        account_id,
        case
            when phase = 'trial' then 'trial_phases'
            when state = 'past_due' then 'past_due_phases'
            else 'paid_phases'
        end as metric,
        1 as value,
        starts_at,
        ends_at,
        known_from,
        known_until

    from phases

    union all

    -- Whoever has ever paid: an account without a phase in force is then churned, and no lead.
    select
        account_id,
        'paid_phases_so_far' as metric,
        1 as value,
        starts_at,
        null as ends_at,
        known_from,
        known_until

    from phases

    where phase = 'paid'

    union all

    select
        account_id,
        'open_tickets' as metric,
        1 as value,
        starts_at,
        ends_at,
        known_from,
        known_until

    from tickets

    union all

    select
        account_id,
        'urgent_open_tickets' as metric,
        1 as value,
        starts_at,
        ends_at,
        known_from,
        known_until

    from tickets

    where priority = 'urgent' or is_escalated

),

spans as (

    select
        account_id,
        measure as metric,
        1 as value,
        first_day,
        last_day

    from user_spans

    where basis = 'as_known'

    union all

    select
        account_id,
        'active_days_30d' as metric,
        1 as value,
        first_day,
        day + 29 as last_day

    from active_days

    union all

    select
        account_id,
        'use_count_30d' as metric,
        use_count as value,
        first_day,
        day + 29 as last_day

    from uses

    union all

    select
        account_id,
        'use_count_prior_30d' as metric,
        use_count as value,
        greatest(day + 30, first_day) as first_day,
        day + 59 as last_day

    from uses

    union all

    -- A module counts once on a day, however many of its uses reach that day.
    select
        account_id,
        'modules_used_30d' as metric,
        1 as value,
        case when first_day <= reached_day then reached_day + 1 else first_day end as first_day,
        last_day

    from module_reached

    union all

    select
        account_id,
        metric,
        value,
        greatest({{ local_day('starts_at') }}, {{ known_day('known_from') }}) as first_day,
        least(
            {{ local_day('ends_at') }} - 1,
            {{ known_day('known_until') }} - 1
        ) as last_day

    from states

),

final as (

    select
        account_id,
        metric,
        cast(value as decimal(18, 2)) as value,
        first_day,
        last_day

    from spans

    where first_day <= last_day

)

select * from final
