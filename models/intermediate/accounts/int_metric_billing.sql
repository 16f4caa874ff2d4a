-- One row per basis, metric and subscription, item or invoice that tells of it, with the days in
-- whose rows it counts: as_known, restated and told, as int_metric_relations has them. What is
-- overdue is told invoice by invoice: its total less what was paid and credited on it, as soon as
-- its day is over, until it is paid, voided or written off; at the rate of its month.

{% set months_of_term = "cast(renewal_term_months as integer)" %}

with

item_amounts as (

    select * from {{ ref('int_subscription_items_rated') }}

    where policy = 'standard' and rule is null

),

phases as (

    select * from {{ ref('int_subscription_phases') }}

    where policy = 'standard'

),

subscriptions as (

    select * from {{ ref('int_subscriptions_linked') }}

),

invoices as (

    select * from {{ ref('int_invoices_linked') }}

),

payments as (

    select * from {{ ref('int_payments_linked') }}

),

credit_notes as (

    select * from {{ ref('int_credit_notes_linked') }}

),

accounts as (

    select * from {{ ref('int_accounts_dated') }}

    where not is_test

),

rates as (

    select * from {{ ref('int_fx_rates_monthly') }}

),

bases (basis) as (

    values ('as_known'), ('restated')

),

states as (

    -- In force on day d: begun before the end of d, and not over before it (spec 00, "Time").
    select
        account_id,
        'mrr' as metric,
        amount as value,
        starts_at,
        ends_at,
        0 as days_later,
        known_from,
        known_until,
        is_latest

    from item_amounts

    union all

    select
        account_id,
        'mrr_30_days_before' as metric,
        amount as value,
        starts_at,
        ends_at,
        30 as days_later,
        known_from,
        known_until,
        is_latest

    from item_amounts

    union all

    select
        account_id,
        case
            when phase = 'trial' then 'trial_phases'
            when state = 'past_due' then 'past_due_phases'
            else 'paid_phases'
        end as metric,
        1 as value,
        starts_at,
        ends_at,
        0 as days_later,
        known_from,
        known_until,
        is_latest

    from phases

    union all

    -- Whoever has ever paid: an account without a phase in force is then churned, and no lead.
    select
        account_id,
        'paid_phases_so_far' as metric,
        1 as value,
        starts_at,
        null as ends_at,
        0 as days_later,
        known_from,
        known_until,
        is_latest

    from phases

    where phase = 'paid'

),

paid_lives as (

    -- Since when a subscription is paid for, as it was known.
    select
        account_id,
        subscription_id,
        known_from,
        known_until,
        is_latest,
        {{ local_day('min(starts_at)') }} as paid_from

    from phases

    where phase = 'paid'

    group by account_id, subscription_id, known_from, known_until, is_latest

),

lives as (

    select
        paid_lives.*,
        subscriptions.renewal_term_months,
        coalesce(subscriptions.notice_days, 30) as notice_days,
        {{ is_over('subscriptions.status') }}
        and subscriptions.ended_at is null as is_cancelled,
        {{ local_day('subscriptions.cancelled_at') }} as cancelled_on,
        {{ local_day('subscriptions.cancel_at') }} as planned_end_on,
        {{ local_day('subscriptions.current_period_end_at') }} as period_end_on,
        {{ local_day('least(subscriptions.ended_at, subscriptions.deleted_at)') }} - 1 as last_day

    from paid_lives

    inner join subscriptions
        on
            paid_lives.subscription_id = subscriptions.subscription_id
            and paid_lives.account_id = subscriptions.account_id
            and paid_lives.known_from >= subscriptions.known_from
            and paid_lives.known_from < subscriptions.known_until

    where subscriptions.renewal_term_months > 0

),

expectations as (

    -- Until when it is to last, before and after somebody cancelled it.
    select
        *,
        planned_end_on as paid_until,
        cast('1900-01-01' as date) as expected_from,
        least(
            last_day,
            case when is_cancelled then coalesce(cancelled_on, cast('1900-01-01' as date)) - 1 end
        ) as expected_until

    from lives

    union all

    select
        *,
        coalesce(planned_end_on, period_end_on, cancelled_on, paid_from) as paid_until,
        coalesce(cancelled_on, cast('1900-01-01' as date)) as expected_from,
        last_day as expected_until

    from lives

    where is_cancelled

),

terms as (

    select
        *,
        cast(
            unnest(
                generate_series(
                    1,
                    greatest(date_diff('month', paid_from, {{ as_of_day() }}), 0)
                    // {{ months_of_term }} + 1
                )
            ) as integer
        ) as term_number

    from expectations

),

renewals as (

    select
        *,
        case
            when term_number = 1 then paid_from
            else cast(paid_from + to_months((term_number - 1) * {{ months_of_term }}) as date) + 1
        end as first_day,
        cast(paid_from + to_months(term_number * {{ months_of_term }}) as date) as renewal_on

    from terms

),

dates as (

    select
        account_id,
        'first_phase_on' as metric,
        {{ local_day('starts_at') }} as value_on,
        {{ local_day('starts_at') }} as first_day,
        cast(null as date) as last_day,
        known_from,
        known_until,
        is_latest

    from phases

    union all

    -- Up to the day itself; what ends with its term, or before, is not renewed.
    select
        account_id,
        'renewal_on' as metric,
        renewal_on as value_on,
        greatest(first_day, expected_from) as first_day,
        least(renewal_on, expected_until) as last_day,
        known_from,
        known_until,
        is_latest

    from renewals

    where paid_until is null or paid_until > renewal_on

    union all

    -- When its notice window begins, told on the same days.
    select
        account_id,
        'notice_on' as metric,
        renewal_on - cast(notice_days as integer) as value_on,
        greatest(first_day, expected_from) as first_day,
        least(renewal_on, expected_until) as last_day,
        known_from,
        known_until,
        is_latest

    from renewals

    where paid_until is null or paid_until > renewal_on

),

told as (

    select
        account_id,
        metric,
        value,
        cast(null as date) as value_on,
        {{ local_day('starts_at') }} + days_later as first_day,
        {{ local_day('ends_at') }} - 1 + days_later as last_day,
        known_from,
        known_until,
        is_latest

    from states

    union all by name

    select * from dates

),

spans as (

    select
        bases.basis,
        told.account_id,
        told.metric,
        told.value,
        told.value_on,
        {{ counted_days('told') }}

    from told

    inner join bases on bases.basis = 'as_known' or told.is_latest

),

dated_invoices as (

    select
        invoices.*,
        {{ local_day('invoices.created_at') }} as created_on,
        coalesce(
            invoices.due_on,
            {{ local_day('coalesce(invoices.issued_at, invoices.created_at)') }} + 30
        ) as owed_until_on,
        coalesce(
            invoices.total_amount,
            invoices.subtotal_amount
            - coalesce(invoices.discount_amount, 0)
            + coalesce(invoices.tax_amount, 0)
        ) as total,
        case invoices.status when 'paid' then invoices.paid_at else invoices.voided_at end
            as closed_at,
        {{ reporting_rate('invoices.currency', 'rates.rate') }} as rate

    from invoices

    inner join accounts
        on invoices.account_id = accounts.account_id and not accounts.is_lead

    left join rates
        on
            invoices.currency = rates.currency
            and cast(date_trunc('month', {{ local_day('invoices.created_at') }}) as date)
            = rates.month

),

balance_parts as (

    select
        account_id,
        invoice_id,
        owed_until_on,
        cast(total as decimal(38, 4)) * rate as amount,
        greatest(created_on, owed_until_on + 1) as first_day,
        {{ local_day('least(closed_at, deleted_at)') }} - 1 as last_day,
        known_from,
        known_until,
        is_latest

    from dated_invoices

    where status = 'open' or (status in ('paid', 'void') and closed_at is not null)

    union all

    select
        payments.account_id,
        payments.invoice_id,
        null as owed_until_on,
        -cast(payments.amount as decimal(38, 4)) * dated_invoices.rate as amount,
        {{ local_day('payments.paid_at') }} as first_day,
        {{ local_day('payments.deleted_at') }} - 1 as last_day,
        payments.known_from,
        payments.known_until,
        payments.is_latest

    from payments

    inner join dated_invoices
        on
            payments.invoice_id = dated_invoices.invoice_id
            and payments.currency = dated_invoices.currency
            and dated_invoices.is_latest

    where {{ moves_money('payments.status') }}

    union all

    select
        credit_notes.account_id,
        credit_notes.invoice_id,
        null as owed_until_on,
        -cast(credit_notes.amount as decimal(38, 4)) * dated_invoices.rate as amount,
        {{ local_day('credit_notes.issued_at') }} as first_day,
        {{ local_day('credit_notes.deleted_at') }} - 1 as last_day,
        credit_notes.known_from,
        credit_notes.known_until,
        credit_notes.is_latest

    from credit_notes

    inner join dated_invoices
        on
            credit_notes.invoice_id = dated_invoices.invoice_id
            and credit_notes.currency = dated_invoices.currency
            and dated_invoices.is_latest

),

balance_spans as (

    select
        bases.basis,
        balance_parts.account_id,
        balance_parts.invoice_id,
        balance_parts.owed_until_on,
        cast(round_even(balance_parts.amount, 4) as decimal(18, 4)) as amount,
        {{ counted_days('balance_parts') }}

    from balance_parts

    inner join bases on bases.basis = 'as_known' or balance_parts.is_latest

    where balance_parts.amount is not null

),

late as (

    -- int_metric_spans says of which days they tell late.
    select
        'told' as basis,
        told.* exclude (told.is_latest)

    from told

    where {{ is_told_late('told') }}

    union all by name

    select
        'told' as basis,
        balance_parts.account_id,
        'overdue_amount' as metric,
        balance_parts.invoice_id as thing,
        cast(round_even(balance_parts.amount, 4) as decimal(18, 4)) as value,
        balance_parts.owed_until_on as value_on,
        balance_parts.first_day,
        balance_parts.last_day,
        balance_parts.known_from,
        balance_parts.known_until

    from balance_parts

    where balance_parts.amount is not null and {{ is_told_late('balance_parts') }}

),

balance_moves as (

    select
        basis,
        account_id,
        invoice_id,
        owed_until_on,
        first_day as day,
        amount,
        case when owed_until_on is null then 0 else 1 end as sent
    from balance_spans
    where first_day <= last_day
    union all
    select
        basis,
        account_id,
        invoice_id,
        null as owed_until_on,
        last_day + 1 as day,
        -amount as amount,
        case when owed_until_on is null then 0 else -1 end as sent
    from balance_spans
    where first_day <= last_day

),

moved as (

    select
        basis,
        account_id,
        invoice_id,
        day,
        max(owed_until_on) as owed_until_on,
        sum(amount) as amount,
        sum(sent) as sent

    from balance_moves

    group by basis, account_id, invoice_id, day

),

balances as (

    select
        basis,
        account_id,
        last_value(owed_until_on ignore nulls) over invoice_so_far as owed_until_on,
        sum(amount) over invoice_so_far as balance,
        sum(sent) over invoice_so_far > 0 as is_owed,
        day as first_day,
        coalesce(
            lead(day) over (partition by basis, account_id, invoice_id order by day) - 1,
            cast('9999-01-01' as date)
        ) as last_day

    from moved

    window
        invoice_so_far as (
            partition by basis, account_id, invoice_id order by day rows unbounded preceding
        )

),

final as (

    select * from spans

    where first_day <= last_day

    union all by name

    select * from late

    union all by name

    select
        basis,
        account_id,
        'overdue_amount' as metric,
        balance as value,
        first_day,
        last_day

    from balances

    where is_owed and balance > 0

    union all by name

    select
        basis,
        account_id,
        'overdue_since' as metric,
        owed_until_on as value_on,
        first_day,
        last_day

    from balances

    where is_owed and balance > 0

)

select * from final
