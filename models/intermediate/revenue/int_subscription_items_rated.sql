-- One row per version and segment of an item that is paid for, published policy (or step between
-- two: the segments of int_mrr_step_segments, with their sign) and rate at which it stands: what it
-- adds to MRR in the reporting currency, rounded here, once, half-even (spec 00, "Numbers"): every
-- coarser amount is a sum of these. A segment stands at the rate of the month of its start and
-- takes each later month's at its first instant, also where it ends at that instant (spec 20,
-- "Currency"); or at the rate of the start of each service period, as the policy says. A segment
-- that lacks a rate that it needs is set aside whole: assert_every_currency_can_be_reported counts
-- it.

{{ config(materialized='table') }}

with

segments as (

    select * from {{ ref('int_subscription_items_continued') }}

),

step_segments as (

    select * from {{ ref('int_mrr_step_segments') }}

),

policies as (

    select * from {{ ref('int_mrr_policies') }}

),

fx_rates as (

    select * from {{ ref('stg_invoices__fx_rates') }}

),

monthly_rates as (

    select * from {{ ref('int_fx_rates_monthly') }}

),

ruled as (

    select
        segments.*,
        policies.fx

    from segments

    inner join policies on segments.policy = policies.policy and policies.is_published

    union all by name

    select
        *,
        true as is_latest

    from step_segments

),

numbered as (

    select
        *,
        row_number() over () as segment_id

    from ruled

),

followed_rates as (

    select
        *,
        lag(rate) over (partition by currency order by month) as rate_before

    from monthly_rates

),

foreign_segments as (

    select
        segment_id,
        currency,
        fx,
        billing_interval,
        interval_count,
        period_anchor_at,
        starts_at,
        ends_at,
        least(ends_at, {{ as_of() }} - interval 1 microsecond) as last_at

    from numbered

    where currency <> '{{ var("reporting_currency") }}'

),

months as (

    select
        segment_id,
        currency,
        starts_at,
        ends_at,
        {{ local_month('starts_at') }} as first_month,
        {{ local_month('last_at') }} as last_month,
        cast(unnest(generate_series(first_month, last_month, interval 1 month)) as date) as month

    from foreign_segments

    where fx = 'month_start'

),

month_pieces as (

    select
        months.segment_id,
        months.month > months.first_month as is_rate_change,
        months.month = months.last_month as is_last,
        greatest({{ month_instant('months.month') }}, months.starts_at) as starts_at,
        if(
            months.month = months.last_month,
            months.ends_at,
            {{ month_instant('months.month + interval 1 month') }}
        ) as ends_at,
        monthly_rates.rate,
        monthly_rates.rate_before

    from months

    left join followed_rates as monthly_rates
        on months.currency = monthly_rates.currency and months.month = monthly_rates.month

),

numbered_periods as (

    select
        *,
        date_diff(
            case when billing_interval in ('day', 'week') then 'day' else 'month' end,
            period_anchor_at,
            last_at
        )
        // (
            interval_count
            * case billing_interval when 'week' then 7 when 'year' then 12 else 1 end
        ) as most_periods

    from foreign_segments

    where fx = 'period_start'

),

spread_periods as (

    select
        * exclude (most_periods),
        unnest(range(cast(most_periods + 2 as bigint))) * interval_count as intervals

    from numbered_periods

),

periods as (

    select
        * exclude (intervals),
        {{ billing_intervals_after('period_anchor_at', 'billing_interval', 'intervals') }}
            as period_starts_at,
        {{ billing_intervals_after(
            'period_anchor_at', 'billing_interval', '(intervals + interval_count)'
        ) }} as period_ends_at

    from spread_periods

),

dated_periods as (

    -- A rate is published before the instant that it is for, at most 7 days.
    select
        *,
        {{ known_day('period_starts_at') }} as rated_on,
        {{ local_day('period_starts_at') }} - 7 as oldest_day

    from periods

    where period_ends_at > starts_at and period_starts_at <= last_at

        and (period_starts_at < ends_at or ends_at is null)

),

daily_rates as (

    select
        currency,
        day,
        rate,
        cast(
            unnest(
                range(
                    day,
                    least(
                        coalesce(
                            lead(day) over (partition by currency order by day), day + 8
                        ),
                        day + 8
                    ),
                    interval 1 day
                )
            ) as date
        ) as rated_on

    from fx_rates

    where is_latest and (deleted_at is null or deleted_at >= {{ as_of() }})

),

rated_periods as (

    select
        dated_periods.segment_id,
        dated_periods.starts_at,
        dated_periods.ends_at,
        dated_periods.period_starts_at,
        dated_periods.period_ends_at,
        dated_periods.last_at,
        case when daily_rates.day >= dated_periods.oldest_day then daily_rates.rate end as rate

    from dated_periods

    left join daily_rates
        on
            dated_periods.currency = daily_rates.currency
            and dated_periods.rated_on = daily_rates.rated_on

),

period_pieces as (

    select
        segment_id,
        period_starts_at > starts_at as is_rate_change,
        period_ends_at > last_at or coalesce(period_ends_at >= ends_at, false) as is_last,
        greatest(period_starts_at, starts_at) as starts_at,
        if(is_last, ends_at, period_ends_at) as ends_at,
        rate,
        lag(rate) over (partition by segment_id order by period_starts_at) as rate_before

    from rated_periods

),

foreign_pieces as (

    select * from month_pieces

    union all

    select * from period_pieces

),

unrated as (

    select distinct segment_id from foreign_pieces

    where rate is null

),

pieces as (

    select
        foreign_pieces.segment_id,
        foreign_pieces.is_rate_change,
        foreign_pieces.is_last,
        foreign_pieces.starts_at,
        foreign_pieces.ends_at,
        foreign_pieces.rate,
        foreign_pieces.rate_before

    from foreign_pieces

    anti join unrated on foreign_pieces.segment_id = unrated.segment_id

    union all

    select
        segment_id,
        false as is_rate_change,
        true as is_last,
        starts_at,
        ends_at,
        1 as rate,
        null as rate_before

    from numbered

    where currency = '{{ var("reporting_currency") }}'

),

final as (

    select
        numbered.account_id,
        numbered.subscription_id,
        numbered.item_id,
        numbered.valid_from,
        numbered.policy,
        numbered.compared_policy,
        numbered.rule,
        numbered.sign,
        numbered.product,
        numbered.currency,
        cast(pieces.rate as decimal(18, 8)) as rate,
        pieces.starts_at,
        pieces.ends_at,
        pieces.is_rate_change,
        pieces.is_last,
        numbered.end_reason,
        {{ reporting_amount('numbered.net_picos', 'numbered.per_months', 'pieces.rate') }}
            as amount,
        case
            when pieces.is_rate_change
                then
                    {{ reporting_amount(
                        'numbered.net_picos', 'numbered.per_months', 'pieces.rate_before'
                    ) }}
        end as amount_before,
        case
            when numbered.gross_picos = numbered.net_picos then amount
            else
                {{ reporting_amount('numbered.gross_picos', 'numbered.per_months', 'pieces.rate') }}
        end as gross_amount,
        case
            when not pieces.is_rate_change then null
            when numbered.gross_picos = numbered.net_picos then amount_before
            else
                {{ reporting_amount(
                    'numbered.gross_picos', 'numbered.per_months', 'pieces.rate_before'
                ) }}
        end as gross_amount_before,
        numbered.amount_original,
        numbered.net_picos,
        numbered.per_months,
        numbered.known_from,
        numbered.known_until,
        numbered.is_latest

    from pieces

    inner join numbered on pieces.segment_id = numbered.segment_id

)

select * from final
