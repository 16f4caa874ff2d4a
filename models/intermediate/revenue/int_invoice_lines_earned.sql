-- One row per recurring part of an invoice and local month of its period: the share of the period
-- that lies in the month, by seconds; without a period, all of it in the month of the invoice. The
-- shares of a part sum to it: each is the difference of two rounded ones. Beside it what the month
-- would have if every month of the period cost the same, as MRR says: a period of whole months (to
-- within 3 days, since the 31st has no February) is worth more in a short month.

with

lines as (

    select * from {{ ref('int_invoice_lines_netted') }}

),

bounded as (

    select
        account_id,
        invoice_id,
        line_id,
        subscription_id,
        cast(net_amount * 100 as bigint) as net_cents,
        cast(discount_amount * 100 as bigint) as discount_cents,
        case
            when period_start_at < period_end_at then period_start_at
            else {{ month_instant('month') }}
        end as period_start_at,
        case
            when period_start_at < period_end_at then period_end_at
            else {{ month_instant('month + interval 1 month') }}
        end as period_end_at

    from lines

    where is_revenue and kind = 'recurring'

),

sized as (

    select
        *,
        datediff(
            'month', {{ local_month('period_start_at') }}, {{ local_month('period_end_at') }}
        ) as months_between

    from bounded

),

measured as (

    select
        *,
        case
            when
                months_between > 0
                and abs(
                    epoch_us(period_end_at)
                    - epoch_us({{ billing_intervals_after(
                        'period_start_at', "'month'", 'months_between'
                    ) }})
                ) <= 3 * 86400000000
                then months_between
        end as whole_months

    from sized

),

by_month as (

    select
        *,
        cast(
            unnest(
                generate_series(
                    {{ local_month('period_start_at') }},
                    {{ known_month('period_end_at') }},
                    interval 1 month
                )
            ) as date
        ) as month

    from measured

),

counted as (

    select
        *,
        epoch_us(period_end_at) - epoch_us(period_start_at) as period_length,
        epoch_us({{ month_instant('month + interval 1 month') }})
        - epoch_us({{ month_instant('month') }}) as month_length,
        epoch_us(greatest(period_start_at, {{ month_instant('month') }}))
        - epoch_us(period_start_at) as gone_before,
        epoch_us(least(period_end_at, {{ month_instant('month + interval 1 month') }}))
        - epoch_us(period_start_at) as gone_after

    from by_month

),

shared as (

    select
        account_id,
        invoice_id,
        line_id,
        subscription_id,
        month,
        cast(
            {{ share_of_cents('net_cents', 'gone_after', 'period_length') }}
            - {{ share_of_cents('net_cents', 'gone_before', 'period_length') }} as bigint
        ) as net_cents,
        cast(
            {{ share_of_cents('discount_cents', 'gone_after', 'period_length') }}
            - {{ share_of_cents('discount_cents', 'gone_before', 'period_length') }} as bigint
        ) as discount_cents,
        cast(
            {{ share_of_cents(
                'net_cents', '(gone_after - gone_before)', '(month_length * whole_months)'
            ) }} as bigint
        ) as monthly_cents

    from counted

),

final as (

    select
        account_id,
        invoice_id,
        line_id,
        subscription_id,
        month,
        net_cents,
        discount_cents,
        net_cents - coalesce(monthly_cents, net_cents) as day_count_cents

    from shared

)

select * from final
