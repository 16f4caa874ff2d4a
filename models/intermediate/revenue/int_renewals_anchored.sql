-- One row per subscription, as known now: the first instant that it is paid for, from which its
-- renewals are counted, and the end of what is paid for (exclusive), NULL while it goes on.
-- Items that have stopped end it too (a billing migration).

with

subscriptions as (

    select * from {{ ref('int_subscriptions_linked') }}

),

accounts as (

    select * from {{ ref('int_accounts_dated') }}

),

phases as (

    select * from {{ ref('int_subscription_phases') }}

),

amounts as (

    select * from {{ ref('int_subscription_item_amounts') }}

),

paid as (

    select
        subscription_id,
        min(starts_at) as paid_from_at,
        case when count(*) = count(ends_at) then max(ends_at) end as paid_until_at

    from phases

    where phase = 'paid' and policy = 'standard' and is_latest and starts_at < {{ as_of() }}

    group by subscription_id

),

item_ends as (

    select
        subscription_id,
        max(ends_at) as items_until_at

    from amounts

    where policy = 'standard'

    group by subscription_id

    having count(*) = count(ends_at)

),

final as (

    select
        subscriptions.subscription_id,
        subscriptions.account_id,
        subscriptions.plan,
        subscriptions.currency,
        nullif(subscriptions.renewal_term_months, 0) as renewal_term_months,
        subscriptions.notice_days,
        paid.paid_from_at,
        least(paid.paid_until_at, {{ happened('item_ends.items_until_at') }}) as paid_until_at

    from subscriptions

    inner join accounts
        on
            subscriptions.account_id = accounts.account_id
            and not accounts.is_test
            and not accounts.is_lead

    left join paid on subscriptions.subscription_id = paid.subscription_id

    left join item_ends on subscriptions.subscription_id = item_ends.subscription_id

    where subscriptions.is_latest

)

select * from final
