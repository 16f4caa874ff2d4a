-- One row per account and local month, from its first month of MRR or the one of its first invoice,
-- payment or credit note (its period of service), whichever is earlier, to the month of the last
-- full day.

with

accounts as (

    select * from {{ ref('int_account_first_months') }}

),

invoices as (

    select * from {{ ref('int_invoices_totalled') }}

),

payments as (

    select * from {{ ref('int_payments_counted') }}

),

credit_notes as (

    select * from {{ ref('int_credit_notes_spread') }}

),

first_days as (

    select
        account_id,
        {{ local_day('min(least(created_at, paid_at))') }} as first_day

    from invoices

    group by account_id

    union all

    select
        account_id,
        min(month) as first_day

    from payments

    group by account_id

    union all

    select
        account_id,
        min(month) as first_day

    from credit_notes

    group by account_id

),

first_dated as (

    select
        account_id,
        min(first_day) as first_day

    from first_days

    group by account_id

),

spine as (

    select
        accounts.account_id,
        cast(
            unnest(
                generate_series(
                    date_trunc('month', least(accounts.first_month, first_dated.first_day)),
                    date_trunc('month', {{ as_of_day() }} - 1),
                    interval 1 month
                )
            ) as date
        ) as month

    from accounts

    left join first_dated on accounts.account_id = first_dated.account_id

),

final as (

    select
        account_id,
        month,
        {{ month_instant('month + interval 1 month') }} > {{ as_of() }} as is_partial

    from spine

)

select * from final
