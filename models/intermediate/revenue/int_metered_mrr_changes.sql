-- One row per account, policy that counts metered usage and month at whose first instant its
-- metered MRR changed.

with

metered as (

    select * from {{ ref('int_metered_mrr_monthly') }}

),

policies as (

    select * from {{ ref('int_mrr_policies') }}

),

shifted as (

    -- A month's mean comes at its first instant and goes at the next month's.
    select
        account_id,
        unnest([month, cast(month + interval 1 month as date)]) as month,
        unnest([metered_mrr, -metered_mrr]) as amount

    from metered

),

final as (

    select
        shifted.account_id,
        policies.policy,
        {{ month_instant('shifted.month') }} as moved_at,
        '{{ var("reporting_currency") }}' as currency,
        cast(sum(shifted.amount) as decimal(18, 2)) as amount,
        cast(sum(shifted.amount) as decimal(18, 4)) as amount_original

    from shifted

    inner join policies on policies.metered = 'included'

    where shifted.month <= date_trunc('month', {{ as_of_day() }} - 1)

    group by shifted.account_id, policies.policy, shifted.month

    having sum(shifted.amount) <> 0

)

select * from final
