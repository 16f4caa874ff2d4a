-- One row per account, instant, movement and policy: what changed an account's MRR, when and by how
-- much. All that changes at one instant is netted first, so a renewal that ends and starts at one
-- instant moves nothing (spec 20, "Clock"). The balances are sums of amounts rounded at the item.

with

segments as (

    select * from {{ ref('int_subscription_item_segments') }}

),

paid as (

    select * from segments

    where phase = 'paid' and is_latest

),

changes as (

    select
        account_id,
        subscription_id,
        item_id,
        currency,
        product,
        starts_at as moved_at,
        amount,
        amount_original,
        false as is_end,
        is_cancelled

    from paid

    union all

    select
        account_id,
        subscription_id,
        item_id,
        currency,
        product,
        ends_at as moved_at,
        -amount as amount,
        -amount_original as amount_original,
        true as is_end,
        is_cancelled

    from paid

    where ends_at < {{ as_of() }}

),

by_subscription as (

    select
        account_id,
        moved_at,
        subscription_id,
        sum(amount) as amount,
        min(product) filter (where is_end) as plan_before,
        min(product) filter (where not is_end) as plan_after,
        bool_or(is_cancelled) as is_cancelled

    from changes

    group by account_id, moved_at, subscription_id

),

principal as (

    -- The subscription that moved the most stands for the movement.
    select * from by_subscription

    qualify
        row_number() over (
            partition by account_id, moved_at order by abs(amount) desc, subscription_id
        ) = 1

),

netted as (

    select
        account_id,
        moved_at,
        min(currency) as currency,
        sum(amount) as amount,
        sum(amount_original) as amount_original

    from changes

    group by account_id, moved_at

),

balanced as (

    select
        *,
        sum(amount) over (
            partition by account_id order by moved_at rows unbounded preceding
        ) as balance

    from netted

),

named as (

    select
        *,
        balance - amount as balance_before,
        max(balance) over (
            partition by account_id
            order by moved_at
            rows between unbounded preceding and 1 preceding
        ) as highest_before

    from balanced

    where amount <> 0

),

final as (

    select
        named.account_id,
        named.moved_at,
        case
            when named.balance_before = 0 and coalesce(named.highest_before, 0) <= 0 then 'new'
            when named.balance_before = 0 then 'reactivation'
            when named.balance = 0 then 'churn'
            when named.amount > 0 then 'expansion'
            else 'contraction'
        end as movement,
        'standard' as policy,
        {{ local_day('named.moved_at') }} as moved_on,
        cast(
            date_trunc('month', {{ local_day('named.moved_at') }}) as date
        ) as month,
        principal.subscription_id,
        case
            when named.balance <> 0 then null
            when principal.is_cancelled then 'cancelled'
            else 'unknown'
        end as churn_reason,
        principal.plan_before,
        principal.plan_after,
        named.currency,
        cast(abs(named.amount) as decimal(18, 2)) as amount,
        cast(abs(named.amount_original) as decimal(18, 4)) as amount_original,
        cast(named.balance_before as decimal(18, 2)) as mrr_before,
        cast(named.balance as decimal(18, 2)) as mrr_after

    from named

    inner join principal
        on named.account_id = principal.account_id and named.moved_at = principal.moved_at

)

select * from final
