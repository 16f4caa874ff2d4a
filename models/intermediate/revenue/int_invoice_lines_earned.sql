-- One row per recurring part of an invoice and local month of its period: the share of the period
-- that lies in the month, by seconds; without a period, all of it in the month of the invoice. The
-- shares of a part sum to it: each is the difference of two rounded ones.

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
            else {{ first_instant('month') }}
        end as period_start_at,
        case
            when period_start_at < period_end_at then period_end_at
            else {{ first_instant('month + interval 1 month') }}
        end as period_end_at

    from lines

    where is_revenue and kind = 'recurring'

),

by_month as (

    select
        *,
        cast(
            unnest(
                generate_series(
                    date_trunc('month', {{ local_day('period_start_at') }}),
                    date_trunc('month', {{ known_day('period_end_at') }}),
                    interval 1 month
                )
            ) as date
        ) as month

    from bounded

),

counted as (

    select
        *,
        epoch_us(period_end_at) - epoch_us(period_start_at) as period_length,
        epoch_us(greatest(period_start_at, {{ first_instant('month') }}))
        - epoch_us(period_start_at) as gone_before,
        epoch_us(least(period_end_at, {{ first_instant('month + interval 1 month') }}))
        - epoch_us(period_start_at) as gone_after

    from by_month

),

final as (

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
        ) as discount_cents

    from counted

)

select * from final
