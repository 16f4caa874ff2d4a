-- Invariants 3 and 21: the MRR of the item segments in force just before the as-of instant is what
-- the movements add up to, account by account.
with

items as (

    select
        account_id,
        sum(amount) as mrr

    from {{ ref('int_subscription_item_segments') }}

    where
        phase = 'paid'
        and is_latest
        and starts_at < {{ as_of() }}
        and (ends_at is null or ends_at >= {{ as_of() }})

    group by account_id

),

movements as (

    select
        account_id,
        sum(mrr_after - mrr_before) as mrr

    from {{ ref('fct_mrr_movements') }}

    group by account_id

)

select
    coalesce(items.account_id, movements.account_id) as account_id,
    items.mrr as items_mrr,
    movements.mrr as movements_mrr

from items

full outer join movements on items.account_id = movements.account_id

where coalesce(items.mrr, 0) <> coalesce(movements.mrr, 0)
