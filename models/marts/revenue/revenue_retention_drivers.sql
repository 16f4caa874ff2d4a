-- One row per month, window, segment at the window's start (tier and size band) and account that
-- moved the net revenue retention, or did in the window that ended a month earlier: what it adds
-- to the ratio now and what it added then. The contributions sum to the ratio less 1. Their
-- changes sum to the change of the ratio, split in rate (the accounts of the segment did better
-- or worse) and mix (the segment weighs more or less). An account that changed segment has a row
-- in either.

with

followed as (

    select * from {{ ref('int_retention_accounts_followed') }}

),

movements as (

    select * from {{ ref('fct_mrr_movements') }}

    where policy = 'standard' and movement <> 'fx'

),

segment_sums as (

    select
        month,
        window_months,
        tier,
        size_band,
        sum(starting_mrr) as starting_mrr

    from followed

    group by all

),

totals as (

    select
        month,
        window_months,
        sum(starting_mrr) as starting_mrr

    from segment_sums

    group by all

),

last_movements as (

    select * from movements

    qualify row_number() over (partition by account_id, month order by moved_at desc) = 1

),

last_churns as (

    select * from movements

    where movement = 'churn'

    qualify row_number() over (partition by account_id, month order by moved_at desc) = 1

),

gained as (

    -- Few windows change anything; the others matter only a month after one that did.
    select
        account_id,
        month,
        window_months,
        tier,
        size_band,
        starting_mrr,
        ending_mrr,
        ending_mrr - starting_mrr as gain

    from followed

    where ending_mrr <> starting_mrr

),

last_gained as (

    select
        account_id,
        cast(month + interval 1 month as date) as month,
        window_months,
        tier,
        size_band,
        gain as last_gain

    from gained

),

gains as (

    select
        *,
        0 as last_gain
    from gained
    union all by name
    select
        *,
        0 as starting_mrr,
        0 as ending_mrr,
        0 as gain
    from last_gained
    union all by name
    select
        followed.account_id,
        followed.month,
        followed.window_months,
        followed.tier,
        followed.size_band,
        followed.starting_mrr,
        followed.ending_mrr,
        0 as gain,
        0 as last_gain
    from followed
    semi join last_gained
        on
            followed.account_id = last_gained.account_id
            and followed.month = last_gained.month
            and followed.window_months = last_gained.window_months
            and followed.tier = last_gained.tier
            and followed.size_band = last_gained.size_band
    where followed.ending_mrr = followed.starting_mrr

),

paired as (

    -- This window's gain beside that of the window which ended a month earlier.
    select
        account_id,
        month,
        window_months,
        tier,
        size_band,
        sum(starting_mrr) as starting_mrr,
        sum(ending_mrr) as ending_mrr,
        sum(gain) as gain,
        sum(last_gain) as last_gain

    from gains

    group by account_id, month, window_months, tier, size_band

),

weighed as (

    select
        paired.*,
        cast(totals.starting_mrr as double) as total,
        cast(last_totals.starting_mrr as double) as last_total,
        cast(segment_sums.starting_mrr as double) as segment_total,
        cast(last_segment_sums.starting_mrr as double) as last_segment_total

    from paired

    inner join totals
        on paired.month = totals.month and paired.window_months = totals.window_months

    left join totals as last_totals
        on
            paired.month = last_totals.month + interval 1 month
            and paired.window_months = last_totals.window_months

    left join segment_sums
        on
            paired.month = segment_sums.month
            and paired.window_months = segment_sums.window_months
            and paired.tier = segment_sums.tier
            and paired.size_band = segment_sums.size_band

    left join segment_sums as last_segment_sums
        on
            paired.month = last_segment_sums.month + interval 1 month
            and paired.window_months = last_segment_sums.window_months
            and paired.tier = last_segment_sums.tier
            and paired.size_band = last_segment_sums.size_band

),

contributed as (

    select
        *,
        cast(gain as double) / nullif(total, 0) as contribution,
        cast(last_gain as double) / nullif(last_total, 0) as last_contribution,
        case
            when last_total is null then null
            -- A segment that is new, or has gone, changes the mix only.
            when last_segment_total is null or segment_total is null then 0
            else
                cast(gain as double) / nullif(total, 0)
                - cast(last_gain as double) / nullif(last_segment_total, 0)
                * segment_total / nullif(total, 0)
        end as rate_effect

    from weighed

),

final as (

    select
        contributed.month,
        contributed.window_months,
        contributed.tier,
        contributed.size_band,
        contributed.account_id,
        case
            when contributed.ending_mrr = contributed.starting_mrr then 'none'
            when contributed.ending_mrr = 0 then 'churn'
            when contributed.ending_mrr < contributed.starting_mrr then 'contraction'
            else 'expansion'
        end as movement,
        case
            when
                last_churns.month
                > contributed.month - to_months(cast(contributed.window_months as integer))
                then last_churns.churn_reason
        end as churn_reason,
        case
            when
                last_movements.month
                > contributed.month - to_months(cast(contributed.window_months as integer))
                then last_movements.plan_before
        end as plan_before,
        case
            when
                last_movements.month
                > contributed.month - to_months(cast(contributed.window_months as integer))
                then last_movements.plan_after
        end as plan_after,
        cast(contributed.starting_mrr as decimal(18, 2)) as starting_mrr,
        cast(contributed.ending_mrr as decimal(18, 2)) as ending_mrr,
        contributed.contribution,
        contributed.last_contribution,
        contributed.contribution - contributed.last_contribution as contribution_change,
        contributed.rate_effect,
        contributed.contribution - contributed.last_contribution - contributed.rate_effect
            as mix_effect

    from contributed

    asof left join last_churns
        on
            contributed.account_id = last_churns.account_id
            and contributed.month >= last_churns.month

    asof left join last_movements
        on
            contributed.account_id = last_movements.account_id
            and contributed.month >= last_movements.month

)

select * from final
