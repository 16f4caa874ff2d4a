-- Invariant 20, and that a ticket is counted once: a ticket's open stretches sum to its open time,
-- and an account's tickets are those of its months and of its summary.
with

tickets as (

    select * from {{ ref('fct_tickets') }}

),

stretches as (

    select
        ticket_id,
        sum(epoch_us(coalesce(ends_at, {{ as_of() }})) - epoch_us(starts_at)) as open_us

    from {{ ref('int_tickets_dated') }}

    where is_open

    group by ticket_id

),

counted as (

    select
        account_id,
        count(*) filter (where left_out_as is null) as opened,
        count(*) filter (where is_open) as open_tickets

    from tickets

    group by account_id

),

months as (

    select
        account_id,
        sum(opened) as opened,
        sum(open_at_month_end) filter (
            where month = date_trunc('month', {{ known_day(as_of()) }})
        ) as open_tickets

    from {{ ref('support_monthly') }}

    group by account_id

),

support as (

    select * from {{ ref('account_support') }}

)

select
    tickets.account_id,
    tickets.ticket_id,
    tickets.open_us as found,
    stretches.open_us as expected

from tickets

left join stretches on tickets.ticket_id = stretches.ticket_id

where tickets.open_us is distinct from stretches.open_us

union all

select
    support.account_id,
    null as ticket_id,
    support.open_tickets as found,
    counted.open_tickets as expected

from support

left join counted on support.account_id = counted.account_id

left join months on support.account_id = months.account_id

where
    support.open_tickets <> coalesce(counted.open_tickets, 0)
    or support.open_tickets <> coalesce(months.open_tickets, 0)
    or coalesce(counted.opened, 0) <> coalesce(months.opened, 0)
