-- One row per ticket of an account, as of the as-of instant: when it was open, how long, and how it
-- was then and is now. Spam, deleted and merged tickets stand here with their flags and nothing
-- else; test accounts' do not.

with

linked as (

    select * from {{ ref('int_tickets_linked') }}

    where is_latest

),

dated as (

    select * from {{ ref('int_tickets_dated') }}

),

opened as (

    select * from dated

    where stretch = 1

),

standing as (

    select * from dated

    where ends_at is null

),

intervals as (

    select
        ticket_id,
        starts_at,
        open_until,
        coalesce(open_until, {{ as_of() }}) as counts_until

    from dated

    where is_opening

),

open_times as (

    select
        ticket_id,
        to_json(
            list(
                struct_pack(opened_at := starts_at, closed_at := open_until)
                order by starts_at, counts_until
            )
        ) as open_intervals,
        count(*) as interval_count,
        sum(epoch_us(counts_until) - epoch_us(starts_at)) as open_us,
        max(starts_at) as last_opened_at,
        min(open_until) as first_resolved_at,
        case when bool_and(open_until is not null) then max(open_until) end as resolved_at

    from intervals

    group by ticket_id

),

final as (

    select
        linked.ticket_id,
        standing.account_id,
        linked.requester_id,
        linked.requester_email,
        linked.assignee_id,
        linked.subject,
        standing.status,
        standing.priority,
        standing.type,
        opened.priority as priority_at_opening,
        opened.type as type_at_opening,
        linked.tags,
        linked.url as link,
        linked.merged_into_ticket_id,
        standing.left_out_as,
        open_times.open_intervals,
        linked.satisfaction_score,
        greatest(coalesce(open_times.interval_count, 0) - 1, 0) as reopen_count,
        cast(open_times.open_us as bigint) as open_us,
        cast(open_times.open_us as bigint) / 86400000000 as open_days,
        case
            when linked.first_response_at >= linked.created_at
                then
                    (epoch_us(linked.first_response_at) - epoch_us(linked.created_at)) / 86400000000
        end as first_response_days,
        (epoch_us(open_times.resolved_at) - epoch_us(linked.created_at)) / 86400000000
            as resolution_days,
        standing.is_open,
        linked.is_escalated,
        linked.merged_into_ticket_id is not null as is_merged,
        linked.is_spam,
        linked.is_deleted,
        standing.is_history_assumed,
        {{ local_day('linked.created_at') }} as created_on,
        linked.created_at,
        linked.first_response_at,
        open_times.last_opened_at,
        open_times.first_resolved_at,
        open_times.resolved_at,
        linked.closed_at

    from linked

    inner join standing on linked.ticket_id = standing.ticket_id

    inner join opened on linked.ticket_id = opened.ticket_id

    left join open_times on linked.ticket_id = open_times.ticket_id

)

select * from final
