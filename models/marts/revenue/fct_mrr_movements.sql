-- One row per account, instant, movement and policy: what changed an account's MRR, when and by how
-- much. The new rate of a month comes first (fx), then all that starts and ends at the instant,
-- netted, so a renewal that ends and starts at one instant moves nothing (spec 20, "Clock").

with

balances as (

    select * from {{ ref('int_mrr_balances') }}

),

movers as (

    select * from {{ ref('int_mrr_movers') }}

),

policies as (

    select * from {{ ref('int_mrr_policies') }}

),

published as (

    select balances.*

    from balances

    inner join policies on balances.policy = policies.policy and policies.is_published

),

named as (

    select
        published.account_id,
        published.moved_at,
        published.movement,
        published.policy,
        movers.subscription_id,
        case
            when published.movement = 'churn' then coalesce(movers.churn_reason, 'unknown')
        end as churn_reason,
        movers.plan_before,
        movers.plan_after,
        published.currency,
        abs(published.amount) as amount,
        abs(published.amount_original) as amount_original,
        published.balance - published.amount as mrr_before,
        published.balance as mrr_after

    from published

    left join movers
        on
            published.account_id = movers.account_id
            and published.policy = movers.policy
            and published.moved_at = movers.moved_at

    where published.movement is not null

    union all

    select
        account_id,
        moved_at,
        'fx' as movement,
        policy,
        null as subscription_id,
        null as churn_reason,
        null as plan_before,
        null as plan_after,
        fx_currency as currency,
        fx_amount as amount,
        if(fx_currency is null, null, 0) as amount_original,
        balance - amount - fx_amount as mrr_before,
        balance - amount as mrr_after

    from published

    where fx_amount <> 0

),

final as (

    select
        account_id,
        moved_at,
        movement,
        policy,
        {{ local_day('moved_at') }} as moved_on,
        {{ local_month('moved_at') }} as month,
        subscription_id,
        churn_reason,
        plan_before,
        plan_after,
        coalesce(plan_before <> plan_after, false) as is_plan_change,
        currency,
        cast(amount as decimal(18, 2)) as amount,
        cast(amount_original as decimal(18, 4)) as amount_original,
        cast(mrr_before as decimal(18, 2)) as mrr_before,
        cast(mrr_after as decimal(18, 2)) as mrr_after

    from named

)

select * from final
