-- One row per account and month with metered usage in the last three full months before the month's
-- end (or before the as-of instant where that is earlier): their mean (spec 20, "MRR of an
-- account").

with

usage as (

    select * from {{ ref('int_usage_revenue_monthly') }}

),

first_months as (

    select * from {{ ref('int_account_first_months') }}

),

counted as (

    -- A month's usage counts in its own and the two months after, once it is full.
    select
        account_id,
        usage_revenue,
        cast(
            unnest(generate_series(month, month + interval 3 month, interval 1 month)) as date
        ) as month,
        month as used_month

    from usage

),

bounded as (

    select
        *,
        {{ month_instant('month + interval 1 month') }} > {{ as_of() }} as is_partial

    from counted

    where month <= date_trunc('month', {{ as_of_day() }} - 1)

),

summed as (

    select
        bounded.account_id,
        bounded.month,
        cast(sum(bounded.usage_revenue) * 100 as hugeint) as cents

    from bounded

    inner join first_months
        on
            bounded.account_id = first_months.account_id
            and bounded.month >= first_months.first_month

    where
        (bounded.is_partial and bounded.used_month < bounded.month)
        or (not bounded.is_partial and bounded.used_month > bounded.month - interval 3 month)

    group by bounded.account_id, bounded.month

),

final as (

    select
        account_id,
        month,
        cast(
            cast({{ half_even_quotient('cents', '3') }} as decimal(33, 0))
            * cast(0.01 as decimal(3, 2)) as decimal(18, 2)
        ) as metered_mrr

    from summed

)

select * from final
