-- Invariant 19, an input rule: an item in a currency that lacks a rate it needs (that of a month,
-- at most 7 days old at its first instant) stands outside MRR as a whole, and is counted here.
-- Its result is kept with the mart that it speaks of. depends_on: {{ ref('fct_mrr_movements') }}
{{ config(severity='warn') }}

select
    segments.currency,
    segments.account_id,
    count(distinct segments.subscription_id) as subscription_count,
    min(segments.starts_at) as first_starts_at,
    max(segments.amount_original) as greatest_amount_original

from {{ ref('int_subscription_item_segments') }} as segments

anti join {{ ref('int_subscription_item_amounts') }} as amounts
    on
        segments.account_id = amounts.account_id
        and segments.subscription_id = amounts.subscription_id
        and segments.item_id = amounts.item_id
        and segments.valid_from = amounts.valid_from
        and segments.policy = amounts.policy
        and segments.starts_at <= amounts.starts_at
        and (segments.ends_at is null or segments.ends_at >= amounts.starts_at)

where
    segments.policy = 'standard'
    and segments.phase = 'paid'
    and segments.is_latest

group by segments.currency, segments.account_id
