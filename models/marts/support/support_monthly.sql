-- One row per account, local month, priority and type: from the first month with a ticket of that
-- priority and type on to the month of the as-of instant, zeros where there is none. A ticket
-- counts once in each column: opened under the words of its opening, closed under those of its last
-- closing in the month, the others under those in force at the month's end (spec 40). A past month
-- doesn't change because time passes.

with

dated as (

    select * from {{ ref('int_tickets_dated') }}

),

words as (

    -- In force for a time: of stretches that begin together the last one.
    select * from dated

    where ends_at is null or ends_at > starts_at

),

intervals as (

    select
        account_id,
        ticket_id,
        starts_at,
        open_until,
        greatest(
            coalesce(open_until, {{ as_of() }}) - interval 1 microsecond, starts_at
        ) as last_open_at

    from dated

    where is_opening

),

touched as (

    select distinct
        account_id,
        ticket_id,
        cast(
            unnest(
                generate_series(
                    date_trunc('month', {{ local_day('starts_at') }}),
                    date_trunc('month', {{ local_day('last_open_at') }}),
                    interval 1 month
                )
            ) as date
        ) as month

    from intervals

),

ticket_months as (

    select
        account_id,
        ticket_id,
        month,
        least({{ first_instant('month + interval 1 month') }}, {{ as_of() }}) as month_end

    from touched

),

aged as (

    select
        ticket_months.account_id,
        ticket_months.ticket_id,
        ticket_months.month,
        ticket_months.month_end,
        sum(
            epoch_us(
                least(
                    coalesce(intervals.open_until, ticket_months.month_end), ticket_months.month_end
                )
            )
            - epoch_us(intervals.starts_at)
        ) as open_us,
        bool_or(
            intervals.open_until is null or intervals.open_until >= ticket_months.month_end
        ) as is_open_at_end

    from ticket_months

    inner join intervals
        on
            ticket_months.ticket_id = intervals.ticket_id
            and ticket_months.month_end > intervals.starts_at

    group by all

),

closings as (

    select
        ticket_id,
        cast(date_trunc('month', {{ local_day('open_until') }}) as date) as month,
        max(open_until) as closed_at

    from intervals

    where open_until is not null

    group by all

),

counted as (

    select
        account_id,
        cast(date_trunc('month', {{ local_day('starts_at') }}) as date) as month,
        priority,
        type,
        coalesce(left_out_as, 'opened') as counts_as,
        null as is_open_at_end,
        null as open_us

    from dated

    where stretch = 1

    union all

    select
        words.account_id,
        closings.month,
        words.priority,
        words.type,
        'closed' as counts_as,
        null as is_open_at_end,
        null as open_us

    from closings

    inner join words
        on closings.ticket_id = words.ticket_id and closings.closed_at = words.starts_at

    union all

    select
        aged.account_id,
        aged.month,
        words.priority,
        words.type,
        'open' as counts_as,
        aged.is_open_at_end,
        aged.open_us

    from aged

    asof inner join words
        on aged.ticket_id = words.ticket_id and aged.month_end > words.starts_at

),

totals as (

    select
        account_id,
        month,
        {{ segment('priority') }} as priority,
        {{ segment('type') }} as type,
        count(*) filter (where counts_as = 'opened') as opened,
        count(*) filter (where counts_as = 'closed') as closed,
        count(*) filter (where is_open_at_end) as open_at_month_end,
        count(*) filter (where counts_as = 'open') as open_at_any_time,
        sum(open_us) as open_us,
        median(open_us) as median_us,
        count(*) filter (where counts_as = 'merged') as merged,
        count(*) filter (where counts_as = 'spam') as spam,
        count(*) filter (where counts_as = 'deleted') as deleted

    from counted

    group by all

),

spine as (

    select
        account_id,
        priority,
        type,
        cast(
            unnest(
                generate_series(
                    min(month),
                    date_trunc('month', {{ known_day(as_of()) }}),
                    interval 1 month
                )
            ) as date
        ) as month

    from totals

    group by account_id, priority, type

),

final as (

    select
        spine.account_id,
        spine.month,
        spine.priority,
        spine.type,
        coalesce(totals.opened, 0) as opened,
        coalesce(totals.closed, 0) as closed,
        coalesce(totals.open_at_month_end, 0) as open_at_month_end,
        coalesce(totals.open_at_any_time, 0) as open_at_any_time,
        cast(coalesce(totals.open_us, 0) as bigint) / 86400000000 as open_days_sum,
        coalesce(totals.open_at_any_time, 0) as open_days_number,
        cast(totals.open_us as bigint)
        / (86400000000 * nullif(totals.open_at_any_time, 0)) as open_days_mean,
        totals.median_us / 86400000000 as open_days_median,
        coalesce(totals.merged, 0) as merged,
        coalesce(totals.spam, 0) as spam,
        coalesce(totals.deleted, 0) as deleted,
        {{ first_instant('spine.month + interval 1 month') }} > {{ as_of() }} as is_partial

    from spine

    left join totals
        on
            spine.account_id = totals.account_id
            and spine.month = totals.month
            and spine.priority = totals.priority
            and spine.type = totals.type

)

select * from final
