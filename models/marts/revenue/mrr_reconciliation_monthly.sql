-- One row per account and local month: the recurring revenue that was invoiced in it beside the MRR
-- at its end (standard), and the difference split into parts that sum to it: proration (the month's
-- MRR weighted by time, less that at its end), discounts on invoices that MRR does not subtract,
-- what is earned on subscriptions that count as 0 because nobody pays, timing (invoiced less earned
-- in the month), and what is left unexplained.

with

months as (

    select * from {{ ref('int_revenue_months') }}

),

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

bounded as (

    select
        account_id,
        month,
        {{ first_instant('month') }} as starts_at,
        least({{ first_instant('month + interval 1 month') }}, {{ as_of() }}) as ends_at

    from months

),

held as (

    select
        bounded.account_id,
        bounded.month,
        item_amounts.subscription_id,
        cast(item_amounts.amount * 100 as hugeint) as net_cents,
        cast(item_amounts.gross_amount * 100 as hugeint) as gross_cents,
        epoch_us(least(item_amounts.ends_at, bounded.ends_at))
        - epoch_us(greatest(item_amounts.starts_at, bounded.starts_at)) as held_length,
        epoch_us(bounded.ends_at) - epoch_us(bounded.starts_at) as month_length

    from bounded

    inner join item_amounts
        on
            bounded.account_id = item_amounts.account_id
            and bounded.ends_at > item_amounts.starts_at
            and (item_amounts.ends_at is null or bounded.starts_at < item_amounts.ends_at)

),

weighted as (

    select
        account_id,
        month,
        month_length,
        sum(net_cents * held_length) as net_weight,
        sum(gross_cents * held_length) as gross_weight

    from held

    group by account_id, month, month_length

),

averaged as (

    select
        account_id,
        month,
        {{ half_even_quotient('net_weight', 'month_length') }} as net_cents,
        {{ half_even_quotient('gross_weight', 'month_length') }} as gross_cents

    from weighted

),

paid_months as (

    select distinct
        subscription_id,
        month

    from held

    where held_length > 0

),

worded as (

    -- The subscription's word at the end of each month in which something is earned on it.
    select
        earned_lines.subscription_id,
        earned_lines.month,
        max(subscriptions.status) as latest_status,
        count(subscription_changes.changed_at) as change_count,
        arg_max(subscription_changes.status, subscription_changes.changed_at) filter (
            where
            subscription_changes.changed_at
            < {{ first_instant('earned_lines.month + interval 1 month') }}
        ) as changed_status

    from earned_lines

    inner join subscriptions on earned_lines.subscription_id = subscriptions.subscription_id

    left join subscription_changes
        on earned_lines.subscription_id = subscription_changes.subscription_id

    group by earned_lines.subscription_id, earned_lines.month

),

unpaid_months as (

    select
        worded.subscription_id,
        worded.month

    from worded

    left join paid_months
        on
            worded.subscription_id = paid_months.subscription_id
            and worded.month = paid_months.month

    where
        paid_months.subscription_id is null
        and case
            when worded.change_count = 0 then worded.latest_status
            else worded.changed_status
        end in ('unpaid', 'past_due', 'incomplete', 'incomplete_expired')

),

earned as (

    select
        earned_lines.account_id,
        earned_lines.month,
        sum(earned_lines.net_cents) as net_cents,
        sum(earned_lines.discount_cents) as discount_cents,
        sum(earned_lines.net_cents) filter (
            where unpaid_months.subscription_id is not null
        ) as unpaid_cents

    from earned_lines

    left join unpaid_months
        on
            earned_lines.subscription_id = unpaid_months.subscription_id
            and earned_lines.month = unpaid_months.month

    group by earned_lines.account_id, earned_lines.month

),

joined as (

    select
        months.account_id,
        months.month,
        months.is_partial,
        coalesce(mrr.ending_mrr, 0) as ending_mrr,
        revenue.recurring_revenue,
        cast(coalesce(averaged.net_cents, 0) as decimal(33, 0))
        * cast(0.01 as decimal(3, 2)) as time_weighted_mrr,
        cast(coalesce(earned.net_cents, 0) as decimal(33, 0))
        * cast(0.01 as decimal(3, 2)) as earned_revenue,
        cast(
            greatest(
                coalesce(earned.discount_cents, 0)
                - coalesce(averaged.gross_cents - averaged.net_cents, 0),
                0
            ) as decimal(33, 0)
        ) * cast(0.01 as decimal(3, 2)) as one_time_discounts,
        cast(coalesce(earned.unpaid_cents, 0) as decimal(33, 0))
        * cast(0.01 as decimal(3, 2)) as unpaid_amount

    from months

    inner join revenue on months.account_id = revenue.account_id and months.month = revenue.month

    left join mrr on months.account_id = mrr.account_id and months.month = mrr.month

    left join averaged
        on months.account_id = averaged.account_id and months.month = averaged.month

    left join earned on months.account_id = earned.account_id and months.month = earned.month

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
        cast(
            earned_revenue - time_weighted_mrr + one_time_discounts - unpaid_amount
            as decimal(18, 2)
        ) as unexplained_amount,
        is_partial

    from joined

)

select * from final
