-- One row per account, instant and plan (the item's product) whose MRR changed: what its items'
-- rates did (fx), what it gave to or took from the account's other plans (transfers), and what
-- it has of the account's own movement. Where the account grew, all that shrank is transferred
-- and each plan that grew takes its share of that; where it shrank, the mirror; where it stayed,
-- all is transfer. Counted as the standard policy counts; metered usage, if it counts there, is
-- a plan `(metered)`.

{{ config(materialized='table') }}

with

amounts as (

    select * from {{ ref('int_subscription_item_amounts') }}

    where policy = 'standard'

),

account_changes as (

    select * from {{ ref('int_mrr_changes') }}

    where policy = 'standard'

),

movements as (

    select * from {{ ref('fct_mrr_movements') }}

    where policy = 'standard'

),

item_changes as (

    select
        account_id,
        starts_at as moved_at,
        product as plan,
        case when is_rate_change then 0 else amount end as net,
        case when is_rate_change then amount else 0 end as fx
    from amounts
    where starts_at < {{ as_of() }}
    union all
    select
        account_id,
        ends_at as moved_at,
        product as plan,
        case when is_last then -amount else 0 end as net,
        case when is_last then 0 else -amount end as fx
    from amounts
    where ends_at < {{ as_of() }}

),

changes as (

    select * from item_changes
    union all
    select
        account_id,
        moved_at,
        '(metered)' as plan,
        amount + fx_amount as net,
        0 as fx
    from account_changes
    union all
    select
        account_id,
        moved_at,
        '(metered)' as plan,
        -net - fx as net,
        0 as fx
    from item_changes

),

summed as (

    select
        account_id,
        moved_at,
        plan,
        cast(sum(net) * 100 as hugeint) as net_cents,
        cast(sum(fx) * 100 as hugeint) as fx_cents

    from changes

    group by account_id, moved_at, plan

),

fx_checked as (

    -- A rate that lifts an account from zero is part of its movement there, and no fx.
    select
        summed.account_id,
        summed.moved_at,
        summed.plan,
        summed.net_cents,
        summed.fx_cents,
        coalesce(movements.amount, 0) * 100 = sum(summed.fx_cents) over (
            partition by summed.account_id, summed.moved_at
        ) as is_fx

    from summed

    left join movements
        on
            summed.account_id = movements.account_id
            and summed.moved_at = movements.moved_at
            and movements.movement = 'fx'

),

netted as (

    select
        account_id,
        moved_at,
        plan,
        net_cents + if(is_fx, 0, fx_cents) as net_cents,
        if(is_fx, fx_cents, 0) as fx_cents

    from fx_checked

    where net_cents <> 0 or fx_cents <> 0

),

shared as (

    select
        *,
        sum(greatest(net_cents, 0)) over together as gained_cents,
        sum(greatest(-net_cents, 0)) over together as lost_cents,
        sum(greatest(net_cents, 0)) over up_to_here as gained_so_far,
        sum(greatest(-net_cents, 0)) over up_to_here as lost_so_far

    from netted

    window
        together as (partition by account_id, moved_at),
        up_to_here as (
            partition by account_id, moved_at order by plan rows unbounded preceding
        )

),

transferred as (

    -- Each share is the difference of two shares of what has been so far, in whole cents: they add
    -- up exactly, and none is greater than what its plan gained or lost.
    select
        *,
        case
            when net_cents <= 0 then 0
            else
                gained_so_far * least(gained_cents, lost_cents) // gained_cents
                - (gained_so_far - net_cents) * least(gained_cents, lost_cents) // gained_cents
        end as transfer_in_cents,
        case
            when net_cents >= 0 then 0
            else
                lost_so_far * least(gained_cents, lost_cents) // lost_cents
                - (lost_so_far + net_cents) * least(gained_cents, lost_cents) // lost_cents
        end as transfer_out_cents

    from shared

),

final as (

    select
        transferred.account_id,
        transferred.moved_at,
        {{ local_month('transferred.moved_at') }} as month,
        transferred.plan,
        case
            when
                abs(transferred.net_cents)
                <> transferred.transfer_in_cents + transferred.transfer_out_cents
                then movements.movement
        end as movement,
        cast(
            (
                abs(transferred.net_cents)
                - transferred.transfer_in_cents
                - transferred.transfer_out_cents
            ) * cast(0.01 as decimal(3, 2)) as decimal(18, 2)
        ) as moved_mrr,
        cast(transferred.fx_cents * cast(0.01 as decimal(3, 2)) as decimal(18, 2)) as fx_mrr,
        cast(transferred.transfer_in_cents * cast(0.01 as decimal(3, 2)) as decimal(18, 2))
            as transfer_in,
        cast(transferred.transfer_out_cents * cast(0.01 as decimal(3, 2)) as decimal(18, 2))
            as transfer_out,
        cast(
            (transferred.net_cents + transferred.fx_cents) * cast(0.01 as decimal(3, 2))
            as decimal(18, 2)
        ) as balance_change

    from transferred

    left join movements
        on
            transferred.account_id = movements.account_id
            and transferred.moved_at = movements.moved_at
            and movements.movement <> 'fx'

)

select * from final
