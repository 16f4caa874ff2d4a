-- Invariants 3 and 21: within each policy the MRR of the items in force just before the end of the
-- as-of month (or the as-of instant) is the account's net MRR of that month.
with

monthly as (

    select
        *,
        least({{ first_instant('month + interval 1 month') }}, {{ as_of() }}) as ends_at

    from {{ ref('fct_mrr_monthly') }}

    where month = date_trunc('month', {{ as_of_day() }} - 1)

),

items as (

    select
        monthly.account_id,
        monthly.policy,
        sum(amounts.amount) as mrr

    from monthly

    inner join {{ ref('int_subscription_item_amounts') }} as amounts
        on
            monthly.account_id = amounts.account_id
            and monthly.policy = amounts.policy
            and monthly.ends_at > amounts.starts_at
            and (amounts.ends_at is null or monthly.ends_at <= amounts.ends_at)

    group by monthly.account_id, monthly.policy

)

select
    monthly.account_id,
    monthly.policy,
    monthly.month,
    items.mrr as items_mrr,
    monthly.net_mrr

from monthly

left join items
    on monthly.account_id = items.account_id and monthly.policy = items.policy

where coalesce(items.mrr, 0) <> monthly.net_mrr
