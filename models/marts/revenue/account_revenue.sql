-- One row per account, as of the as-of instant: what it has brought in, what it is worth a year,
-- when it renews, and what it owes, by age. Neither test accounts nor accounts that became part of
-- another one.

with

account_months as (

    select * from {{ ref('int_account_first_months') }}

),

accounts as (

    select * from {{ ref('int_accounts_dated') }}

),

payments as (

    select * from {{ ref('int_payments_counted') }}

),

credit_notes as (

    select * from {{ ref('int_credit_notes_counted') }}

),

mrr as (

    select * from {{ ref('fct_mrr_monthly') }}

),

subscriptions as (

    select * from {{ ref('fct_subscriptions') }}

),

invoices as (

    select * from {{ ref('fct_invoices') }}

),

landed_invoices as (

    select * from {{ ref('int_invoices_linked') }}

),

rates as (

    select * from {{ ref('int_fx_rates_monthly') }}

),

paid as (

    select
        account_id,
        sum(amount) as amount

    from payments

    group by account_id

),

credited as (

    select
        account_id,
        sum(amount) as amount

    from credit_notes

    group by account_id

),

arrs as (

    select
        account_id,
        12 * ending_mrr as arr

    from mrr

    where
        policy = 'standard'
        and month = date_trunc('month', {{ as_of_day() }} - 1)

),

contracts as (

    select
        accounts.account_id,
        accounts.contract_value_amount as amount_original,
        coalesce({{ currency_code('accounts.currency') }}, '{{ var("reporting_currency") }}')
            as currency,
        round_even(
            cast(accounts.contract_value_amount as decimal(38, 4))
            * case
                when
                    coalesce(
                        {{ currency_code('accounts.currency') }}, '{{ var("reporting_currency") }}'
                    )
                    = '{{ var("reporting_currency") }}'
                    then 1
                else rates.rate
            end,
            2
        ) as amount

    from accounts

    left join rates
        on
            {{ currency_code('accounts.currency') }} = rates.currency
            and rates.month = date_trunc('month', {{ as_of_day() }} - 1)

),

renewals as (

    select
        account_id,
        next_renewal_on,
        sum(arr) as next_renewal_arr

    from subscriptions

    where next_renewal_on is not null

    group by account_id, next_renewal_on

    qualify row_number() over (partition by account_id order by next_renewal_on) = 1

),

billed as (

    select
        account_id,
        sum(net_amount) filter (where is_revenue) as net_amount,
        count(*) filter (where is_revenue) as invoice_count,
        count(*) filter (where is_overdue) as overdue_invoice_count,
        sum(outstanding_amount) as outstanding_amount,
        sum(credit_balance_amount) as credit_balance_amount,
        sum(outstanding_amount) filter (where ageing_bucket = 'not_due') as not_due_amount,
        sum(outstanding_amount) filter (where ageing_bucket = 'overdue_1_30')
            as overdue_1_30_amount,
        sum(outstanding_amount) filter (where ageing_bucket = 'overdue_31_60')
            as overdue_31_60_amount,
        sum(outstanding_amount) filter (where ageing_bucket = 'overdue_61_90')
            as overdue_61_90_amount,
        sum(outstanding_amount) filter (where ageing_bucket = 'overdue_over_90')
            as overdue_over_90_amount,
        max(overdue_days) as oldest_overdue_days,
        arg_min(invoice_id, (created_at, invoice_id)) filter (where is_revenue)
            as first_invoice_id,
        arg_max(invoice_id, (created_at, invoice_id)) filter (where is_revenue)
            as last_invoice_id,
        {{ local_day('min(created_at) filter (where is_revenue)') }} as first_invoice_on,
        {{ local_day('max(created_at) filter (where is_revenue)') }} as last_invoice_on

    from invoices

    group by account_id

),

first_landed as (

    select
        {{ local_month('min(created_at)') }} as first_month

    from landed_invoices

    where is_latest

),

joined as (

    select
        account_months.account_id,
        case when contracts.amount is null then 'arr' else 'crm' end as contract_value_source,
        case when contracts.amount_original is not null then contracts.currency end
            as contract_value_currency,
        coalesce(billed.net_amount, 0) - coalesce(credited.amount, 0) as lifetime_revenue_amount,
        coalesce(paid.amount, 0) as lifetime_payments_amount,
        coalesce(arrs.arr, 0) as arr,
        contracts.amount_original as contract_value_amount_original,
        coalesce(contracts.amount, arrs.arr, 0) as contract_value_amount,
        renewals.next_renewal_on,
        renewals.next_renewal_arr,
        coalesce(billed.outstanding_amount, 0) as outstanding_amount,
        coalesce(billed.credit_balance_amount, 0) as credit_balance_amount,
        coalesce(billed.not_due_amount, 0) as not_due_amount,
        coalesce(billed.overdue_1_30_amount, 0) as overdue_1_30_amount,
        coalesce(billed.overdue_31_60_amount, 0) as overdue_31_60_amount,
        coalesce(billed.overdue_61_90_amount, 0) as overdue_61_90_amount,
        coalesce(billed.overdue_over_90_amount, 0) as overdue_over_90_amount,
        coalesce(billed.oldest_overdue_days, 0) as oldest_overdue_days,
        coalesce(billed.invoice_count, 0) as invoice_count,
        coalesce(billed.overdue_invoice_count, 0) as overdue_invoice_count,
        billed.first_invoice_id,
        billed.last_invoice_id,
        coalesce(account_months.first_month < first_landed.first_month, false)
            as is_left_truncated,
        billed.first_invoice_on,
        billed.last_invoice_on

    from account_months

    cross join first_landed

    left join paid on account_months.account_id = paid.account_id

    left join credited on account_months.account_id = credited.account_id

    left join arrs on account_months.account_id = arrs.account_id

    left join contracts on account_months.account_id = contracts.account_id

    left join renewals on account_months.account_id = renewals.account_id

    left join billed on account_months.account_id = billed.account_id

),

final as (

    select
        account_id,
        contract_value_source,
        contract_value_currency,
        cast(lifetime_revenue_amount as decimal(18, 2)) as lifetime_revenue_amount,
        cast(lifetime_payments_amount as decimal(18, 2)) as lifetime_payments_amount,
        cast(arr as decimal(18, 2)) as arr,
        contract_value_amount_original,
        cast(contract_value_amount as decimal(18, 2)) as contract_value_amount,
        next_renewal_on,
        cast(next_renewal_arr as decimal(18, 2)) as next_renewal_arr,
        cast(outstanding_amount as decimal(18, 2)) as outstanding_amount,
        cast(outstanding_amount - not_due_amount as decimal(18, 2)) as overdue_amount,
        cast(credit_balance_amount as decimal(18, 2)) as credit_balance_amount,
        cast(not_due_amount as decimal(18, 2)) as not_due_amount,
        cast(overdue_1_30_amount as decimal(18, 2)) as overdue_1_30_amount,
        cast(overdue_31_60_amount as decimal(18, 2)) as overdue_31_60_amount,
        cast(overdue_61_90_amount as decimal(18, 2)) as overdue_61_90_amount,
        cast(overdue_over_90_amount as decimal(18, 2)) as overdue_over_90_amount,
        cast(oldest_overdue_days as bigint) as oldest_overdue_days,
        cast(invoice_count as bigint) as invoice_count,
        cast(overdue_invoice_count as bigint) as overdue_invoice_count,
        first_invoice_id,
        last_invoice_id,
        is_left_truncated,
        first_invoice_on,
        last_invoice_on

    from joined

)

select * from final
