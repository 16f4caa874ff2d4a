-- One row per invoice, drafts and voided ones too: what it bills before and after tax, what was
-- paid and credited on it, and what is owed as of the as-of instant. Everything in the reporting
-- currency stands at the invoice's rate; total = paid + credited + settled + bad debt + voided +
-- outstanding - credit balance.

with

invoices as (

    select * from {{ ref('int_invoices_totalled') }}

),

lines as (

    select * from {{ ref('int_invoice_lines_netted') }}

),

moves as (

    select * from {{ ref('int_invoice_balances_moved') }}

),

payments as (

    select * from {{ ref('int_payments_counted') }}

),

by_kind as (

    -- Most invoices have one part, and need no sums.
    select
        invoice_id,
        if(kind = 'recurring', net_original, null) as recurring_original,
        if(kind = 'recurring', net_amount, null) as recurring_amount,
        if(kind = 'one_time', net_original, null) as non_recurring_original,
        if(kind = 'one_time', net_amount, null) as non_recurring_amount,
        if(kind = 'usage', net_original, null) as usage_original,
        if(kind = 'usage', net_amount, null) as usage_amount,
        discount_original,
        discount_amount,
        net_amount,
        is_residual as has_residual

    from lines

    where is_only_part

    union all

    select
        invoice_id,
        sum(net_original) filter (where kind = 'recurring') as recurring_original,
        sum(net_amount) filter (where kind = 'recurring') as recurring_amount,
        sum(net_original) filter (where kind = 'one_time') as non_recurring_original,
        sum(net_amount) filter (where kind = 'one_time') as non_recurring_amount,
        sum(net_original) filter (where kind = 'usage') as usage_original,
        sum(net_amount) filter (where kind = 'usage') as usage_amount,
        sum(discount_original) as discount_original,
        sum(discount_amount) as discount_amount,
        sum(net_amount) as net_amount,
        bool_or(is_residual) as has_residual

    from lines

    where is_only_part is not true

    group by invoice_id

),

moved as (

    select
        invoice_id,
        -sum(amount_original) filter (where movement = 'paid') as paid_original,
        -sum(amount) filter (where movement = 'paid') as paid_amount,
        sum(amount_original) filter (where movement = 'paid' and amount_original > 0)
            as refunded_original,
        sum(amount) filter (where movement = 'paid' and amount_original > 0) as refunded_amount,
        -sum(amount_original) filter (where movement = 'credited') as credited_original,
        -sum(amount) filter (where movement = 'credited') as credited_amount,
        -sum(amount) filter (where movement = 'settled') as settled_amount,
        -sum(amount) filter (where movement = 'written_off') as bad_debt_amount,
        -sum(amount) filter (where movement = 'voided') as voided_amount,
        sum(amount_original) as balance_original,
        sum(amount) as balance

    from moves

    group by invoice_id

),

undated as (

    select * from invoices

    where status = 'paid' and paid_at is null

),

last_paid as (

    -- When an invoice was paid, where billing does not say: what was given back later isn't paying.
    select
        payments.invoice_id,
        max(payments.paid_at) as last_payment_at

    from payments

    inner join undated on payments.invoice_id = undated.invoice_id

    where payments.amount_original > 0 or undated.total_amount < 0

    group by payments.invoice_id

),

joined as (

    select
        invoices.account_id,
        invoices.invoice_id,
        invoices.subscription_id,
        invoices.number,
        invoices.status,
        invoices.status_word,
        invoices.currency,
        invoices.month,
        invoices.due_on,
        invoices.owed_until_on,
        invoices.rate,
        invoices.line_count,
        invoices.created_at,
        invoices.issued_at,
        invoices.voided_at,
        invoices.tax_amount as tax_original,
        invoices.total_amount as total_original,
        invoices.net_amount as net_original,
        coalesce(by_kind.recurring_original, 0) as recurring_original,
        coalesce(by_kind.recurring_amount, 0) as recurring_amount,
        coalesce(by_kind.non_recurring_original, 0) as non_recurring_original,
        coalesce(by_kind.non_recurring_amount, 0) as non_recurring_amount,
        coalesce(by_kind.usage_original, 0) as usage_original,
        coalesce(by_kind.usage_amount, 0) as usage_amount,
        coalesce(by_kind.discount_original, 0) as discount_original,
        coalesce(by_kind.discount_amount, 0) as discount_amount,
        coalesce(by_kind.net_amount, 0) as net_amount,
        {{ amount_at_rate('invoices.tax_amount', 'invoices.rate') }} as tax_amount,
        coalesce(moved.paid_original, 0) as paid_original,
        coalesce(moved.paid_amount, 0) as paid_amount,
        coalesce(moved.refunded_original, 0) as refunded_original,
        coalesce(moved.refunded_amount, 0) as refunded_amount,
        coalesce(moved.credited_original, 0) as credited_original,
        coalesce(moved.credited_amount, 0) as credited_amount,
        coalesce(moved.settled_amount, 0) as settled_amount,
        coalesce(moved.bad_debt_amount, 0) as bad_debt_amount,
        coalesce(moved.voided_amount, 0) as voided_amount,
        coalesce(moved.balance_original, 0) as balance_original,
        coalesce(moved.balance, 0) as balance,
        not coalesce(by_kind.has_residual, false) as has_lines_that_add_up,
        case
            when invoices.status = 'paid' then coalesce(invoices.paid_at, last_paid.last_payment_at)
        end as paid_at,
        coalesce(invoices.issued_at, invoices.created_at) as sent_at

    from invoices

    left join by_kind on invoices.invoice_id = by_kind.invoice_id

    left join moved on invoices.invoice_id = moved.invoice_id

    left join last_paid on invoices.invoice_id = last_paid.invoice_id

),

judged as (

    select
        *,
        case
            when status in ('draft', 'void') then 0
            else total_original - credited_original
        end as owed_original,
        case
            when balance > 0 then greatest({{ as_of_day() }} - owed_until_on, 0)
            else 0
        end as overdue_days

    from joined

),

matched as (

    select
        *,
        case
            when paid_original = owed_original then 'matched'
            when paid_original = 0 and status = 'paid' then 'paid_without_payment'
            when paid_original = 0 then 'unpaid'
            when
                sign(paid_original) = sign(owed_original)
                and abs(paid_original) < abs(owed_original)
                then 'partly_paid'
            else 'overpaid'
        end as payment_match

    from judged

),

final as (

    select
        account_id,
        invoice_id,
        subscription_id,
        number,
        status,
        status_word,
        payment_match,
        currency,
        month,
        due_on as stated_due_on,
        owed_until_on as due_on,
        case
            when balance <= 0 then 'nothing_due'
            when overdue_days = 0 then 'not_due'
            when overdue_days <= 30 then 'overdue_1_30'
            when overdue_days <= 60 then 'overdue_31_60'
            when overdue_days <= 90 then 'overdue_61_90'
            else 'overdue_over_90'
        end as ageing_bucket,
        rate,
        line_count,
        cast(recurring_original as decimal(18, 4)) as recurring_amount_original,
        cast(recurring_amount as decimal(18, 2)) as recurring_amount,
        cast(non_recurring_original as decimal(18, 4)) as non_recurring_amount_original,
        cast(non_recurring_amount as decimal(18, 2)) as non_recurring_amount,
        cast(usage_original as decimal(18, 4)) as usage_amount_original,
        cast(usage_amount as decimal(18, 2)) as usage_amount,
        cast(discount_original as decimal(18, 4)) as discount_amount_original,
        cast(discount_amount as decimal(18, 2)) as discount_amount,
        net_original as net_amount_original,
        cast(net_amount as decimal(18, 2)) as net_amount,
        tax_original as tax_amount_original,
        cast(tax_amount as decimal(18, 2)) as tax_amount,
        total_original as total_amount_original,
        cast(net_amount + tax_amount as decimal(18, 2)) as total_amount,
        cast(paid_original as decimal(18, 4)) as paid_amount_original,
        cast(paid_amount as decimal(18, 2)) as paid_amount,
        cast(refunded_original as decimal(18, 4)) as refunded_amount_original,
        cast(refunded_amount as decimal(18, 2)) as refunded_amount,
        cast(credited_original as decimal(18, 4)) as credited_amount_original,
        cast(credited_amount as decimal(18, 2)) as credited_amount,
        cast(settled_amount as decimal(18, 2)) as settled_amount,
        cast(bad_debt_amount as decimal(18, 2)) as bad_debt_amount,
        cast(voided_amount as decimal(18, 2)) as voided_amount,
        cast(greatest(balance_original, 0) as decimal(18, 4)) as outstanding_amount_original,
        cast(greatest(balance, 0) as decimal(18, 2)) as outstanding_amount,
        cast(greatest(-balance, 0) as decimal(18, 2)) as credit_balance_amount,
        cast(overdue_days as bigint) as overdue_days,
        (epoch(paid_at) - epoch(sent_at)) / 86400 as days_to_pay,
        status in ('open', 'paid', 'uncollectible') as is_revenue,
        status = 'paid' as is_paid,
        overdue_days > 0 as is_overdue,
        due_on is null as is_due_date_assumed,
        has_lines_that_add_up,
        case status
            when 'paid' then payment_match = 'matched'
            when 'open' then paid_original = 0 or payment_match = 'partly_paid'
            when 'uncollectible' then paid_original = 0 or payment_match = 'partly_paid'
            else paid_original = 0
        end as has_matching_payments,
        created_at,
        issued_at,
        paid_at,
        voided_at

    from matched

)

select * from final
