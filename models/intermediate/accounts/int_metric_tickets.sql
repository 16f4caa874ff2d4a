-- One row per basis, metric and stretch of a ticket's time that tells of it, with the days in whose
-- rows it counts, as known and restated. A day counts what a ticket was at the day's end: open and
-- urgent as its history tells, solved from its solution until it is opened again, if ever.

with

stretches as (

    select * from {{ ref('int_ticket_stretches') }}

    where left_out_as is null

),

bases (basis) as (

    values ('as_known'), ('restated')

),

marked as (

    select
        *,
        is_open and (coalesce(priority = 'urgent', false) or is_escalated) as is_urgent

    from stretches

),

followed as (

    select
        *,
        lag(is_open) over in_order as was_open,
        lag(is_urgent) over in_order as was_urgent,
        min(starts_at) filter (where is_open) over later as opened_again_at,
        min(starts_at) filter (where not is_urgent) over later as urgent_until

    from marked

    window
        in_order as (partition by account_id, ticket_id, known_from order by stretch),
        later as (
            partition by account_id, ticket_id, known_from
            order by stretch
            rows between 1 following and unbounded following
        )

),

dated as (

    select
        account_id,
        is_opening,
        is_urgent and not coalesce(was_urgent, false) as is_turning_urgent,
        not is_open and was_open as is_solution,
        stretch = 1 as is_first,
        is_escalated,
        try_cast(satisfaction_score as decimal(18, 4)) as satisfaction_score,
        {{ local_day('created_at') }} as opened_on,
        {{ local_day('starts_at') }} as starts_on,
        {{ local_day('open_until') }} as solved_on,
        {{ local_day('urgent_until') }} as urgent_until_on,
        {{ local_day('opened_again_at') }} as opened_again_on,
        {{ local_day('deleted_at') }} as deleted_on,
        known_from,
        known_until,
        is_latest

    from followed

),

counted as (

    select
        dated.account_id,
        measures.metric,
        measures.value,
        case when measures.metric = 'oldest_open_ticket_on' then dated.opened_on end as value_on,
        measures.first_day,
        measures.last_day,
        dated.known_from,
        dated.known_until,
        dated.is_latest

    from dated,
        lateral (
            values
            ('open_tickets', dated.is_opening, 1, dated.starts_on, dated.solved_on - 1),
            (
                'oldest_open_ticket_on',
                dated.is_opening,
                null,
                dated.starts_on,
                dated.solved_on - 1
            ),
            (
                'urgent_open_tickets',
                dated.is_turning_urgent,
                1,
                dated.starts_on,
                dated.urgent_until_on - 1
            ),
            (
                'escalated_open_tickets',
                dated.is_opening and dated.is_escalated,
                1,
                dated.starts_on,
                dated.solved_on - 1
            ),
            (
                'tickets_opened_30d',
                dated.is_first,
                1,
                dated.opened_on,
                least(dated.opened_on + 29, dated.deleted_on - 1)
            ),
            (
                'tickets_solved_30d',
                dated.is_solution,
                1,
                dated.starts_on,
                least(dated.starts_on + 29, dated.opened_again_on - 1, dated.deleted_on - 1)
            ),
            (
                'satisfaction_answers_90d',
                dated.is_solution and dated.satisfaction_score is not null,
                1,
                dated.starts_on,
                least(dated.starts_on + 89, dated.opened_again_on - 1, dated.deleted_on - 1)
            ),
            (
                'satisfaction_sum_90d',
                dated.is_solution and dated.satisfaction_score is not null,
                dated.satisfaction_score,
                dated.starts_on,
                least(dated.starts_on + 89, dated.opened_again_on - 1, dated.deleted_on - 1)
            )
        ) as measures (metric, is_told, value, first_day, last_day)

    where
        measures.is_told
        and measures.first_day <= coalesce(measures.last_day, measures.first_day)

),

spans as (

    select
        bases.basis,
        counted.account_id,
        counted.metric,
        cast(null as varchar) as thing,
        counted.value,
        counted.value_on,
        {{ counted_days('counted') }}

    from counted

    inner join bases on bases.basis = 'as_known' or counted.is_latest

),

late as (

    select
        'told' as basis,
        counted.* exclude (counted.is_latest)

    from counted

    where {{ is_told_late('counted') }}

),

final as (

    select * from spans

    where first_day <= last_day

    union all by name

    select * from late

)

select * from final
