-- One row per version of a discount, item that it is on (where the item is at one price) and policy
-- that subtracts it, for the time in which it subtracts. Recurring is what is for ever, or repeats
-- over more than one period of the item; one-time what is given once (spec 20, "Discounts"). One
-- that names no end is given for one period if it is given once, and until further notice else.

with

discounts as (

    select * from {{ ref('stg_invoices__discounts') }}

),

items as (

    select * from {{ ref('int_subscription_stretches') }}

),

policies as (

    select * from {{ ref('int_mrr_policies') }}

),

applicable as (

    select
        items.stretch_id,
        items.subscription_id,
        items.known_from,
        items.policy,
        items.phase,
        items.currency as subscription_currency,
        discounts.discount_id,
        discounts.item_id,
        discounts.duration,
        discounts.percent_off,
        discounts.amount_off,
        discounts.currency,
        discounts.position,
        discounts.valid_from,
        discounts.valid_to,
        discounts.deleted_at,
        items.starts_at,
        items.ends_at,
        {{ billing_intervals_after(
            'discounts.valid_from', 'items.billing_interval', 'items.interval_count'
        ) }} as first_period_ends_at

    from items

    inner join discounts
        on
            items.subscription_id = discounts.subscription_id
            and (discounts.item_id is null or items.item_id = discounts.item_id)
            and items.rows_known_at >= discounts.known_from
            and items.rows_known_at < discounts.known_until

),

timed as (

    select
        *,
        least(
            coalesce(valid_to, case when duration = 'once' then first_period_ends_at end),
            deleted_at
        ) as valid_until,
        case
            when duration = 'repeating' and (valid_to is null or valid_to > first_period_ends_at)
                then 'recurring'
            when duration = 'forever' then 'forever'
            else 'one-time'
        end as kind

    from applicable

),

final as (

    select
        timed.stretch_id,
        timed.subscription_id,
        timed.known_from,
        timed.policy,
        timed.phase,
        timed.discount_id,
        timed.item_id is null as is_on_all_items,
        coalesce(timed.percent_off, 0) as percent_off,
        case
            when timed.currency is null or timed.currency = timed.subscription_currency
                then coalesce(timed.amount_off, 0)
            else 0
        end as amount_off,
        timed.position,
        greatest(timed.valid_from, timed.starts_at) as starts_at,
        least(timed.valid_until, timed.ends_at) as ends_at

    from timed

    inner join policies
        on
            timed.policy = policies.policy
            and (
                policies.discounts = 'all'
                or (policies.discounts = 'recurring' and timed.kind <> 'one-time')
                or (policies.discounts = 'forever' and timed.kind = 'forever')
            )

    where
        greatest(timed.valid_from, timed.starts_at)
        < coalesce(
            least(timed.valid_until, timed.ends_at),
            cast('9999-12-31' as timestamp with time zone)
        )

)

select * from final
