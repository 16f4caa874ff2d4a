-- One row per credit note and local month that it takes revenue from: the month of its issue, or,
-- with a period of service, each month of that period by its share of the period's local days,
-- half-even, the remainder to the last month.

with

credit_notes as (

    select * from {{ ref('int_credit_notes_counted') }}

),

dated as (

    select
        account_id,
        credit_note_id,
        amount,
        case
            when period_start_at < period_end_at then {{ local_day('period_start_at') }}
            else {{ local_day('issued_at') }}
        end as starts_on,
        case
            when period_start_at < period_end_at then {{ known_day('period_end_at') }} + 1
            else {{ local_day('issued_at') }} + 1
        end as ends_on

    from credit_notes

),

by_month as (

    select
        *,
        cast(
            unnest(
                generate_series(
                    date_trunc('month', starts_on),
                    date_trunc('month', ends_on - 1),
                    interval 1 month
                )
            ) as date
        ) as month

    from dated

),

counted as (

    select
        *,
        ends_on - starts_on as period_days,
        least(ends_on, cast(month + interval 1 month as date)) - greatest(starts_on, month)
            as month_days,
        cast(amount * 100 as hugeint) as cents

    from by_month

),

rounded as (

    select
        account_id,
        credit_note_id,
        month,
        cents,
        {{ half_even_quotient('cents * month_days', 'period_days') }} as month_cents,
        row_number() over (partition by credit_note_id order by month desc) as place_from_end

    from counted

),

final as (

    select
        account_id,
        credit_note_id,
        month,
        cast(
            cast(
                case
                    when place_from_end = 1
                        then
                            cents + month_cents
                            - sum(month_cents) over (partition by credit_note_id)
                    else month_cents
                end as decimal(33, 0)
            ) * cast(0.01 as decimal(3, 2)) as decimal(18, 2)
        ) as amount

    from rounded

)

select * from final
