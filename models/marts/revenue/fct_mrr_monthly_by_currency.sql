-- One row per account, local month, policy and original currency: MRR at its start, what moved it,
-- and at its end, in that currency, from the first month in which something in it was paid for. The
-- word for a movement is the account's, judged on its total in the reporting currency: who moves
-- from euros to dollars contracts in the one and expands in the other, and neither churns nor is
-- new.

with

contracted as (

    select * from {{ ref('int_mrr_changes') }}

),

metered as (

    select * from {{ ref('int_metered_mrr_changes') }}

),

balances as (

    select * from {{ ref('int_mrr_balances') }}

),

first_months as (

    select * from {{ ref('int_account_first_months') }}

),

moved as (

    -- What only a rate moved is nothing in the original currency.
    select * from contracted

    where amount_original <> 0 or fx_amount = 0

    union all by name

    select * from metered

),

changes as (

    select
        account_id,
        policy,
        moved_at,
        currency,
        sum(amount_original) as amount_original

    from moved

    group by all

),

named as (

    select
        changes.account_id,
        changes.policy,
        changes.currency,
        {{ local_month('changes.moved_at') }} as month,
        changes.amount_original,
        case
            when balances.movement in ('new', 'reactivation') and changes.amount_original > 0
                then balances.movement
            when balances.movement = 'churn' and changes.amount_original < 0 then 'churn'
            when changes.amount_original > 0 then 'expansion'
            else 'contraction'
        end as movement

    from changes

    inner join balances
        on
            changes.account_id = balances.account_id
            and changes.policy = balances.policy
            and changes.moved_at = balances.moved_at

    semi join first_months on changes.account_id = first_months.account_id

),

netted as (

    select
        account_id,
        policy,
        currency,
        month,
        coalesce(sum(amount_original) filter (where movement = 'new'), 0) as new_mrr,
        coalesce(sum(amount_original) filter (where movement = 'reactivation'), 0)
            as reactivation_mrr,
        coalesce(sum(amount_original) filter (where movement = 'expansion'), 0) as expansion_mrr,
        coalesce(-sum(amount_original) filter (where movement = 'contraction'), 0)
            as contraction_mrr,
        coalesce(-sum(amount_original) filter (where movement = 'churn'), 0) as churn_mrr,
        sum(amount_original) as net_movement

    from named

    where month <= date_trunc('month', {{ as_of_day() }} - 1)

    group by account_id, policy, currency, month

),

running as (

    select
        *,
        sum(net_movement) over (
            partition by account_id, policy, currency order by month rows unbounded preceding
        ) as ending_mrr,
        coalesce(
            lead(month) over (partition by account_id, policy, currency order by month),
            cast(date_trunc('month', {{ as_of_day() }} - 1) + interval 1 month as date)
        ) as next_month

    from netted

),

filled as (

    select
        * exclude (month, next_month),
        month as moved_month,
        cast(unnest(range(month, next_month, interval 1 month)) as date) as month

    from running

),

final as (

    select
        account_id,
        month,
        policy,
        currency,
        cast(ending_mrr - if(month = moved_month, net_movement, 0) as decimal(18, 4))
            as starting_mrr,
        cast(if(month = moved_month, new_mrr, 0) as decimal(18, 4)) as new_mrr,
        cast(if(month = moved_month, reactivation_mrr, 0) as decimal(18, 4)) as reactivation_mrr,
        cast(if(month = moved_month, expansion_mrr, 0) as decimal(18, 4)) as expansion_mrr,
        cast(if(month = moved_month, contraction_mrr, 0) as decimal(18, 4)) as contraction_mrr,
        cast(if(month = moved_month, churn_mrr, 0) as decimal(18, 4)) as churn_mrr,
        cast(0 as decimal(18, 4)) as fx_mrr,
        cast(ending_mrr as decimal(18, 4)) as ending_mrr,
        month = date_trunc('month', {{ as_of_day() }} - 1) and {{ as_of_month_is_partial() }}
            as is_partial

    from filled

)

select * from final
