-- One row per account, published policy, instant and currency in which its contracted MRR changed,
-- as known now: what started less what ended, and what a new rate did to the rest (fx), in the
-- reporting and the original currency.

{{ config(materialized='table') }}

with

amounts as (

    select * from {{ ref('int_subscription_item_amounts') }}

),

changes as (

    select
        account_id,
        policy,
        starts_at as moved_at,
        currency,
        amount,
        amount_original,
        cast(0 as decimal(18, 2)) as fx_amount,
        gross_amount

    from amounts

    where not is_rate_change

    union all

    select
        account_id,
        policy,
        starts_at as moved_at,
        currency,
        0 as amount,
        0 as amount_original,
        amount - amount_before as fx_amount,
        gross_amount - gross_amount_before as gross_amount

    from amounts

    where is_rate_change

    union all

    select
        account_id,
        policy,
        ends_at as moved_at,
        currency,
        -amount as amount,
        -amount_original as amount_original,
        0 as fx_amount,
        -gross_amount as gross_amount

    from amounts

    where is_last and ends_at < {{ as_of() }}

),

final as (

    select
        account_id,
        policy,
        moved_at,
        currency,
        cast(sum(amount) as decimal(18, 2)) as amount,
        cast(sum(amount_original) as decimal(18, 4)) as amount_original,
        cast(sum(fx_amount) as decimal(18, 2)) as fx_amount,
        cast(sum(gross_amount) as decimal(18, 2)) as gross_amount

    from changes

    group by account_id, policy, moved_at, currency

)

select * from final
