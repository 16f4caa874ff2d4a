-- One row per epoch and item of a subscription, policy and phase, for a time in which its price and
-- the discounts on it stay the same: what it costs a month before and after the discounts that the
-- policy subtracts, one after the other in their order, never below 0 (spec 20, "Discounts"), as
-- whole units of 10^-12 for per_months months. It is rounded half-even to four decimals in the
-- original currency, and, from the exact amount, to two in the reporting one
-- (int_subscription_items_rated).

{{ config(materialized='table') }}

with

stretches as (

    select * from {{ ref('int_subscription_stretches') }}

),

discount_spans as (

    select * from {{ ref('int_subscription_discount_spans') }}

),

discounted as (

    -- All items of a subscription and phase are cut at the same instants, since an amount off is
    -- shared over those that are in force together.
    select distinct
        subscription_id,
        known_from,
        policy,
        phase

    from discount_spans

),

discounted_stretches as (

    select stretches.*

    from stretches

    semi join discounted
        on
            stretches.subscription_id = discounted.subscription_id
            and stretches.known_from = discounted.known_from
            and stretches.policy = discounted.policy
            and stretches.phase = discounted.phase

),

edges as (

    select
        subscription_id,
        known_from,
        policy,
        phase,
        unnest([starts_at, ends_at]) as edge_at

    from discounted_stretches

    union

    select
        subscription_id,
        known_from,
        policy,
        phase,
        unnest([starts_at, ends_at]) as edge_at

    from discount_spans

),

cuts as (

    select
        discounted_stretches.stretch_id,
        edges.edge_at as starts_at,
        lead(edges.edge_at) over (
            partition by discounted_stretches.stretch_id order by edges.edge_at
        ) as next_edge_at

    from discounted_stretches

    inner join edges
        on
            discounted_stretches.subscription_id = edges.subscription_id
            and discounted_stretches.known_from = edges.known_from
            and discounted_stretches.policy = edges.policy
            and discounted_stretches.phase = edges.phase
            and discounted_stretches.starts_at <= edges.edge_at
            and (
                discounted_stretches.ends_at is null
                or discounted_stretches.ends_at > edges.edge_at
            )

),

slices as (

    select
        stretches.* exclude (starts_at, ends_at),  -- noqa: RF02
        cuts.starts_at,
        coalesce(cuts.next_edge_at, stretches.ends_at) as ends_at,
        cuts.next_edge_at is null as is_last

    from cuts

    inner join stretches on cuts.stretch_id = stretches.stretch_id

),

applied as (

    select
        slices.stretch_id,
        slices.subscription_id,
        slices.known_from,
        slices.policy,
        slices.phase,
        slices.starts_at,
        discount_spans.discount_id,
        discount_spans.position,
        discount_spans.is_on_all_items,
        cast(discount_spans.percent_off * 10000 as bigint) as percent_off_micros,
        {{ amount_units('discount_spans.amount_off') }} as off_numerator

    from slices

    inner join discount_spans
        on
            slices.stretch_id = discount_spans.stretch_id
            and slices.starts_at >= discount_spans.starts_at
            and (discount_spans.ends_at is null or slices.starts_at < discount_spans.ends_at)

),

shared as (

    -- Shared over all that is in force, also over an item of whose longer period it is only a part
    -- and which it is therefore not taken off.
    select distinct * exclude (stretch_id) from applied

    where is_on_all_items

),

candidates as (

    select
        slices.*,
        shared.discount_id,
        shared.is_on_all_items,
        shared.position,
        shared.percent_off_micros,
        shared.off_numerator

    from slices

    inner join shared
        on
            slices.subscription_id = shared.subscription_id
            and slices.known_from = shared.known_from
            and slices.policy = shared.policy
            and slices.phase = shared.phase
            and slices.starts_at = shared.starts_at

    union all by name

    select
        slices.*,
        applied.discount_id,
        applied.is_on_all_items,
        applied.position,
        applied.percent_off_micros,
        applied.off_numerator

    from slices

    inner join applied
        on
            slices.stretch_id = applied.stretch_id
            and slices.starts_at = applied.starts_at
            and not applied.is_on_all_items

),

steps as (

    select
        candidates.*,
        candidates.gross_picos // candidates.per_months as monthly_gross_picos,
        sum(candidates.gross_picos) over together as all_gross_picos,
        sum(candidates.gross_picos // candidates.per_months) over together
            as all_monthly_gross_picos,
        max(candidates.per_months) over together = min(candidates.per_months) over together
        and max(candidates.factor_numerator) over together
        = min(candidates.factor_numerator) over together as is_one_interval,
        row_number() over (
            partition by
                candidates.subscription_id,
                candidates.known_from,
                candidates.policy,
                candidates.phase,
                candidates.starts_at,
                candidates.discount_id
            order by candidates.item_id desc, candidates.valid_from desc
        ) = 1 as takes_remainder

    from candidates

    window
        together as (
            partition by
                candidates.subscription_id,
                candidates.known_from,
                candidates.policy,
                candidates.phase,
                candidates.starts_at,
                candidates.discount_id
        )

),

shares as (

    -- In units of 0.0001; of items that are billed together by different intervals the parts once
    -- more to ten decimals, to be summed.
    select
        *,
        case
            when off_numerator = 0 or (is_on_all_items and all_gross_picos <= 0) then 0
            when not is_on_all_items
                then {{ half_even_quotient('off_numerator * factor_numerator', 'per_months') }}
            when is_one_interval
                then
                    {{ half_even_quotient(
                        'gross_picos * off_numerator * factor_numerator',
                        'greatest(all_gross_picos, 1) * per_months'
                    ) }}
            else
                {{ half_even_quotient(
                    'monthly_gross_picos * off_numerator * factor_numerator',
                    'greatest(all_monthly_gross_picos, 1) * per_months'
                ) }}
        end as off_parts,
        case
            when off_numerator = 0 or is_one_interval or all_monthly_gross_picos <= 0 then 0
            else
                {{ half_even_quotient(
                    'monthly_gross_picos // 1000 * off_numerator * factor_numerator * 1000000',
                    'greatest(all_monthly_gross_picos // 1000, 1) * per_months'
                ) }}
        end as off_parts_finer

    from steps

),

settled as (

    select
        *,
        case
            when not is_on_all_items or not takes_remainder or off_numerator = 0
                or all_gross_picos <= 0
                then off_parts
            when is_one_interval
                then
                    {{ half_even_quotient('off_numerator * factor_numerator', 'per_months') }}
                    - (sum(off_parts) over together - off_parts)
            else
                {{ half_even_quotient('sum(off_parts_finer) over together', '1000000') }}
                - (sum(off_parts) over together - off_parts)
        end as off_micros

    from shares

    window
        together as (
            partition by subscription_id, known_from, policy, phase, starts_at, discount_id
        )

),

stacks as (

    select
        settled.stretch_id,
        settled.starts_at,
        any_value(settled.gross_picos) as gross_picos,
        list(
            {
                'remaining': cast(0 as hugeint),
                'percent_off_micros': settled.percent_off_micros,
                'off_picos': cast(settled.off_micros as hugeint) * 100000000 * settled.per_months
            }
            order by settled.position nulls last, settled.discount_id
        ) as discounts

    from settled

    inner join applied
        on
            settled.stretch_id = applied.stretch_id
            and settled.starts_at = applied.starts_at
            and settled.discount_id = applied.discount_id

    group by settled.stretch_id, settled.starts_at

),

stacked as (

    select
        stretch_id,
        starts_at,
        greatest(
            list_reduce(  -- noqa: LT01
                list_prepend(
                    {
                        'remaining': gross_picos,
                        'percent_off_micros': cast(0 as bigint),
                        'off_picos': cast(0 as hugeint)
                    },
                    discounts
                ),
                lambda so_far, step: {  -- noqa: LT01, PRS
                    'remaining': greatest(
                        cast(
                            {{ half_even_quotient(
                                'so_far.remaining * (1000000 - step.percent_off_micros)', '1000000'
                            ) }} as hugeint
                        )
                        - step.off_picos,
                        cast(0 as hugeint)
                    ),
                    'percent_off_micros': cast(0 as bigint),
                    'off_picos': cast(0 as hugeint)
                }  -- noqa: PRS
            ).remaining,
            cast(0 as hugeint)
        ) as net_picos

    from stacks

),

priced as (

    select
        slices.* exclude (is_last, ends_by, is_term_end),  -- noqa: RF02
        case when slices.is_last then slices.ends_by end as ends_by,
        slices.is_last and slices.is_term_end as is_term_end,
        coalesce(stacked.net_picos, slices.gross_picos) as net_picos

    from slices

    left join stacked
        on slices.stretch_id = stacked.stretch_id and slices.starts_at = stacked.starts_at

    union all by name

    select
        stretches.*,
        stretches.gross_picos as net_picos

    from stretches

    anti join discounted
        on
            stretches.subscription_id = discounted.subscription_id
            and stretches.known_from = discounted.known_from
            and stretches.policy = discounted.policy
            and stretches.phase = discounted.phase

),

neighboured as (

    select
        *,
        coalesce(
            lag(ends_at) over of_item <> starts_at
            or lag(net_picos) over of_item <> net_picos
            or lag(gross_picos) over of_item <> gross_picos,
            true
        ) as is_start

    from priced

    where starts_at < {{ as_of() }}

    window
        of_item as (
            partition by subscription_id, known_from, policy, phase, item_id, valid_from
            order by starts_at
        )

),

numbered as (

    -- A cut that changed nothing is none.
    select
        *,
        count_if(is_start) over (
            partition by subscription_id, known_from, policy, phase, item_id, valid_from
            order by starts_at
            rows unbounded preceding
        ) as segment_number

    from neighboured

),

final as (

    select
        account_id,
        subscription_id,
        item_id,
        valid_from,
        policy,
        phase,
        plan,
        product,
        currency,
        billing_interval,
        interval_count,
        min(period_anchor_at) as period_anchor_at,
        min(starts_at) as starts_at,
        last(ends_at order by starts_at) as ends_at,
        last(ends_by order by starts_at) as ends_by,
        is_cancelled,
        last(is_term_end order by starts_at) as is_term_end,
        per_months,
        segment_number,
        gross_picos,
        net_picos,
        {{ original_amount('net_picos', 'per_months') }} as amount_original,
        known_from,
        known_until,
        is_latest

    from numbered

    group by all

)

select * from final
