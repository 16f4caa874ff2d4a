-- One row per account, policy and instant at which its MRR changed, as known now: what the new rate
-- did (fx), then what started less what ended, and the balances before and after. Whether an
-- account is new, lost, bigger or smaller is judged here, on its total in the reporting currency
-- (spec 20). A month's metered usage moves at its first instant, for policies that count it.

{{ config(materialized='table') }}

with

changes as (

    select * from {{ ref('int_mrr_changes') }}

),

metered as (

    select * from {{ ref('int_metered_mrr_changes') }}

),

moved as (

    select * from changes

    union all by name

    select
        *,
        0 as fx_amount,
        0 as gross_amount

    from metered

),

netted as (

    select
        account_id,
        policy,
        moved_at,
        sum(amount) as amount,
        sum(fx_amount) as fx_amount,
        sum(gross_amount) as gross_amount,
        min(currency) filter (where amount <> 0 or amount_original <> 0) as least_currency,
        max(currency) filter (where amount <> 0 or amount_original <> 0) as greatest_currency,
        sum(amount_original) as amount_original,
        min(currency) filter (where fx_amount <> 0) as least_fx_currency,
        max(currency) filter (where fx_amount <> 0) as greatest_fx_currency

    from moved

    group by account_id, policy, moved_at

),

balanced as (

    select
        *,
        sum(amount + fx_amount) over (
            partition by account_id, policy order by moved_at rows unbounded preceding
        ) as balance

    from netted

),

started as (

    -- Who stands at nothing has nothing that a rate could change: it counts with what starts.
    select
        * exclude (amount, fx_amount),
        if(balance - amount - fx_amount <= 0, amount + fx_amount, amount) as amount,
        if(balance - amount - fx_amount <= 0, 0, fx_amount) as fx_amount,
        max(balance) over (
            partition by account_id, policy
            order by moved_at
            rows between unbounded preceding and 1 preceding
        ) as highest_before

    from balanced

),

final as (

    select
        account_id,
        policy,
        moved_at,
        case
            when amount = 0 then null
            when balance - amount <= 0 and balance > 0 and coalesce(highest_before, 0) <= 0
                then 'new'
            when balance - amount <= 0 and balance > 0 then 'reactivation'
            when balance - amount > 0 and balance <= 0 then 'churn'
            when amount > 0 then 'expansion'
            else 'contraction'
        end as movement,
        if(least_currency = greatest_currency, least_currency, null) as currency,
        cast(amount as decimal(18, 2)) as amount,
        cast(
            if(least_currency = greatest_currency, amount_original, null) as decimal(18, 4)
        ) as amount_original,
        if(least_fx_currency = greatest_fx_currency, least_fx_currency, null) as fx_currency,
        cast(fx_amount as decimal(18, 2)) as fx_amount,
        cast(gross_amount as decimal(18, 2)) as gross_amount,
        cast(balance as decimal(18, 2)) as balance

    from started

)

select * from final
