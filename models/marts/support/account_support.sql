-- One row per account or lead that counts, as of the as-of instant: its open tickets by priority,
-- how many come, how fast they are answered and solved, and what the customer says. Windows are
-- full local days that end with the as-of day's start; spam, deleted and merged tickets count
-- nowhere.

with

accounts as (

    select * from {{ ref('int_accounts_dated') }}

    where not is_test and merged_day is null

),

tickets as (

    select
        *,
        try_cast(satisfaction_score as decimal(18, 4)) as score,
        created_on between {{ as_of_day() }} - 30 and {{ as_of_day() }} - 1 as is_of_30d,
        created_on between {{ as_of_day() }} - 60 and {{ as_of_day() }} - 31 as is_of_prior_30d,
        first_response_days is not null
        and {{ local_day('first_response_at') }}
        between {{ as_of_day() }} - 90 and {{ as_of_day() }} - 1 as is_answered_90d,
        {{ local_day('resolved_at') }}
        between {{ as_of_day() }} - 90 and {{ as_of_day() }} - 1 as is_resolved_90d

    from {{ ref('fct_tickets') }}

    where left_out_as is null

),

dated as (

    select * from {{ ref('int_tickets_dated') }}

),

closings as (

    select
        account_id,
        ticket_id,
        {{ local_day('open_until') }} as closed_on,
        lead(starts_at) over (partition by ticket_id order by stretch) is not null as is_reopened

    from dated

    where is_opening

),

closed as (

    select
        account_id,
        count(distinct ticket_id) filter (
            where closed_on between {{ as_of_day() }} - 30 and {{ as_of_day() }} - 1
        ) as closed_30d,
        count(distinct ticket_id) as closed_90d,
        count(distinct ticket_id) filter (where is_reopened) as reopened_90d

    from closings

    where closed_on between {{ as_of_day() }} - 90 and {{ as_of_day() }} - 1

    group by account_id

),

open_before as (

    select
        account_id,
        count(*) as open_30d_ago

    from dated

    where
        is_opening
        and starts_at < {{ first_instant(as_of_day() ~ ' - 30') }}
        and (open_until is null or open_until >= {{ first_instant(as_of_day() ~ ' - 30') }})

    group by account_id

),

counted as (

    select
        account_id,
        count(*) filter (where is_open) as open_tickets,
        count(*) filter (where is_open and priority = 'urgent') as open_urgent,
        count(*) filter (where is_open and priority = 'high') as open_high,
        count(*) filter (where is_open and priority in ('normal', 'medium')) as open_normal,
        count(*) filter (where is_open and priority = 'low') as open_low,
        count(*) filter (where is_open and is_escalated) as open_escalated,
        arg_min(ticket_id, (created_at, ticket_id)) filter (where is_open)
            as oldest_open_ticket_id,
        min(created_at) filter (where is_open) as oldest_open_at,
        arg_min(open_days, (created_at, ticket_id)) filter (where is_open) as oldest_open_days,
        count(*) filter (where is_of_30d) as opened_30d,
        count(*) filter (where is_of_prior_30d) as opened_prior_30d,
        count(*) filter (where is_escalated and is_of_30d) as escalated_30d,
        count(*) filter (where is_escalated) as escalated,
        count(score) as satisfaction_answers,
        sum(score) as score_sum,
        count(score) filter (where is_resolved_90d) as satisfaction_answers_90d,
        sum(score) filter (where is_resolved_90d) as score_sum_90d,
        count(*) filter (where is_answered_90d) as first_responses_90d,
        median(epoch_us(first_response_at) - epoch_us(created_at)) filter (where is_answered_90d)
            as first_response_us,
        count(*) filter (where is_resolved_90d) as resolutions_90d,
        median(epoch_us(resolved_at) - epoch_us(created_at)) filter (where is_resolved_90d)
            as resolution_us,
        bool_or(is_history_assumed) as is_history_assumed

    from tickets

    group by account_id

),

final as (

    select
        accounts.account_id,
        counted.oldest_open_ticket_id,
        coalesce(counted.open_tickets, 0) as open_tickets,
        coalesce(counted.open_urgent, 0) as open_urgent,
        coalesce(counted.open_high, 0) as open_high,
        coalesce(counted.open_normal, 0) as open_normal,
        coalesce(counted.open_low, 0) as open_low,
        coalesce(
            counted.open_tickets
            - counted.open_urgent
            - counted.open_high
            - counted.open_normal
            - counted.open_low,
            0
        ) as open_other,
        coalesce(counted.open_escalated, 0) as open_escalated,
        counted.oldest_open_days,
        coalesce(open_before.open_30d_ago, 0) as open_30d_ago,
        coalesce(counted.open_tickets, 0) - coalesce(open_before.open_30d_ago, 0)
            as backlog_change_30d,
        coalesce(counted.opened_30d, 0) as opened_30d,
        coalesce(counted.opened_prior_30d, 0) as opened_prior_30d,
        cast(counted.opened_30d as double) / nullif(counted.opened_prior_30d, 0) - 1
            as opened_change_30d,
        coalesce(closed.closed_30d, 0) as closed_30d,
        coalesce(counted.escalated_30d, 0) as escalated_30d,
        coalesce(counted.escalated, 0) as escalated,
        coalesce(counted.satisfaction_answers, 0) as satisfaction_answers,
        cast(counted.score_sum as double) / nullif(counted.satisfaction_answers, 0)
            as satisfaction_mean,
        coalesce(counted.satisfaction_answers_90d, 0) as satisfaction_answers_90d,
        cast(counted.score_sum_90d as double) / nullif(counted.satisfaction_answers_90d, 0)
            as satisfaction_mean_90d,
        coalesce(counted.first_responses_90d, 0) as first_responses_90d,
        counted.first_response_us / 86400000000 as first_response_days_median_90d,
        coalesce(counted.resolutions_90d, 0) as resolutions_90d,
        counted.resolution_us / 86400000000 as resolution_days_median_90d,
        coalesce(closed.closed_90d, 0) as closed_90d,
        coalesce(closed.reopened_90d, 0) as reopened_90d,
        cast(closed.reopened_90d as double) / nullif(closed.closed_90d, 0) as reopen_ratio_90d,
        coalesce(counted.is_history_assumed, false) as is_history_assumed,
        counted.oldest_open_at

    from accounts

    left join counted on accounts.account_id = counted.account_id

    left join closed on accounts.account_id = closed.account_id

    left join open_before on accounts.account_id = open_before.account_id

)

select * from final
