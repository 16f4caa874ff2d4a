-- One row per account and local month: the recurring revenue that was invoiced in it beside the MRR
-- at its end (standard), and the difference split into parts that sum to it: proration (the month's
-- MRR weighted by time, less that at its end), discounts on invoices that MRR does not subtract,
-- what is earned on subscriptions that count as 0 because nobody pays, timing (invoiced less earned
-- in the month), day count (a month's price is earned by the day, and months differ in length), and
-- what is left unexplained.

with

mrr as (

    select * from {{ ref('fct_mrr_monthly') }}

    where policy = 'standard'

),

item_amounts as (

    select * from {{ ref('int_subscription_item_amounts') }}

    where policy = 'standard'

),

revenue as (

    select * from {{ ref('fct_revenue_monthly') }}

),

earned_lines as (

    select * from {{ ref('int_invoice_lines_earned') }}

),

subscriptions as (

    select * from {{ ref('int_subscriptions_linked') }}

    where is_latest

),

subscription_changes as (

    select * from {{ ref('stg_invoices__subscription_changes') }}

),

months_held as (

    -- Each month in which an item counts, for a moment at least.
    select
        account_id,
        subscription_id,
        cast(amount * 100 as bigint) as net_cents,
        cast(gross_amount * 100 as bigint) as gross_cents,
        starts_at,
        ends_at,
        cast(
            unnest(
                generate_series(
                    {{ local_month('starts_at') }},
                    least({{ known_month('ends_at') }}, date_trunc('month', {{ as_of_day() }} - 1)),
                    interval 1 month
                )
            ) as date
        ) as month

    from item_amounts

),

held as (

    select
        account_id,
        subscription_id,
        month,
        net_cents,
        gross_cents,
        epoch_us(
            least(ends_at, {{ month_instant('month + interval 1 month') }}, {{ as_of() }})
        )
        - epoch_us(greatest(starts_at, {{ month_instant('month') }})) as held_length

    from months_held

),

weighted as (

    select
        account_id,
        month,
        epoch_us(least({{ month_instant('month + interval 1 month') }}, {{ as_of() }}))
        - epoch_us({{ month_instant('month') }}) as month_length,
        sum(cast(net_cents as hugeint) * held_length) as net_weight,
        sum(cast(gross_cents as hugeint) * held_length) as gross_weight

    from held

    group by account_id, month

),

averaged as (

    select
        account_id,
        month,
        {{ rounded_amount('net_weight', 'month_length', 2) }} as net_mrr,
        {{ rounded_amount('gross_weight', 'month_length', 2) }} as gross_mrr

    from weighted

),

words as (

    -- The subscription's own word stands for always where no change of it landed.
    select
        subscriptions.subscription_id,
        coalesce(subscription_changes.changed_at, cast('1900-01-01' as timestamp with time zone))
            as worded_at,
        coalesce(
            if(
                subscription_changes.changed_at is null,
                subscriptions.status,
                subscription_changes.status
            ) in ('unpaid', 'past_due', 'incomplete', 'incomplete_expired'),
            false
        ) as is_unpaid

    from subscriptions

    left join subscription_changes
        on subscriptions.subscription_id = subscription_changes.subscription_id

),

ever_unpaid as (

    select distinct subscription_id from words

    where is_unpaid

),

doubtful_months as (

    select distinct
        earned_lines.subscription_id,
        earned_lines.month

    from earned_lines

    semi join ever_unpaid on earned_lines.subscription_id = ever_unpaid.subscription_id

),

worded as (

    -- The subscription's word at the end of each month in which something is earned on it.
    select
        doubtful_months.subscription_id,
        doubtful_months.month,
        arg_max(words.is_unpaid, words.worded_at) as is_unpaid

    from doubtful_months

    inner join words
        on
            doubtful_months.subscription_id = words.subscription_id
            and words.worded_at < {{ month_instant('doubtful_months.month + interval 1 month') }}

    group by doubtful_months.subscription_id, doubtful_months.month

),

paid_months as (

    select distinct
        held.subscription_id,
        held.month

    from held

    semi join worded
        on held.subscription_id = worded.subscription_id and held.month = worded.month

    where held.held_length > 0

),

unpaid_months as (

    select
        worded.subscription_id,
        worded.month

    from worded

    anti join paid_months
        on
            worded.subscription_id = paid_months.subscription_id
            and worded.month = paid_months.month

    where worded.is_unpaid

),

earned as (

    select
        earned_lines.account_id,
        earned_lines.month,
        cast(sum(earned_lines.net_cents) as bigint) as net_cents,
        cast(sum(earned_lines.discount_cents) as bigint) as discount_cents,
        cast(
            sum(earned_lines.net_cents) filter (
                where unpaid_months.subscription_id is not null
            ) as bigint
        ) as unpaid_cents,
        cast(
            sum(earned_lines.day_count_cents) filter (
                where unpaid_months.subscription_id is null
            ) as bigint
        ) as day_count_cents

    from earned_lines

    left join unpaid_months
        on
            earned_lines.subscription_id = unpaid_months.subscription_id
            and earned_lines.month = unpaid_months.month

    group by earned_lines.account_id, earned_lines.month

),

joined as (

    select
        revenue.account_id,
        revenue.month,
        revenue.is_partial,
        coalesce(mrr.ending_mrr, 0) as ending_mrr,
        revenue.recurring_revenue,
        coalesce(averaged.net_mrr, 0) as time_weighted_mrr,
        coalesce(earned.net_cents, 0) * cast(0.01 as decimal(3, 2)) as earned_revenue,
        greatest(
            coalesce(earned.discount_cents, 0) * cast(0.01 as decimal(3, 2))
            - coalesce(averaged.gross_mrr - averaged.net_mrr, 0),
            0
        ) as one_time_discounts,
        coalesce(earned.unpaid_cents, 0) * cast(0.01 as decimal(3, 2)) as unpaid_amount,
        coalesce(earned.day_count_cents, 0) * cast(0.01 as decimal(3, 2)) as day_count_amount

    from revenue

    left join mrr on revenue.account_id = mrr.account_id and revenue.month = mrr.month

    left join averaged
        on revenue.account_id = averaged.account_id and revenue.month = averaged.month

    left join earned on revenue.account_id = earned.account_id and revenue.month = earned.month

),

final as (

    select
        account_id,
        month,
        cast(ending_mrr as decimal(18, 2)) as ending_mrr,
        cast(time_weighted_mrr as decimal(18, 2)) as time_weighted_mrr,
        cast(recurring_revenue as decimal(18, 2)) as recurring_revenue,
        cast(earned_revenue as decimal(18, 2)) as earned_revenue,
        cast(recurring_revenue - ending_mrr as decimal(18, 2)) as difference_amount,
        cast(time_weighted_mrr - ending_mrr as decimal(18, 2)) as proration_amount,
        cast(-one_time_discounts as decimal(18, 2)) as discount_amount,
        cast(unpaid_amount as decimal(18, 2)) as unpaid_amount,
        cast(recurring_revenue - earned_revenue as decimal(18, 2)) as timing_amount,
        cast(day_count_amount as decimal(18, 2)) as day_count_amount,
        cast(
            earned_revenue
            - time_weighted_mrr
            + one_time_discounts
            - unpaid_amount
            - day_count_amount as decimal(18, 2)
        ) as unexplained_amount,
        is_partial

    from joined

)

select * from final
