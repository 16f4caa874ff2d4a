-- Invariants 1 and 2 by segment: starting, movements and transfers give the ending, and each
-- month starts where the one before ended (a segment that has gone, at zero).
with

bridge as (

    select * from {{ ref('mrr_bridge_monthly') }}

),

explained as (

    select
        bridge.*,
        bridge.starting_mrr + bridge.new_mrr + bridge.reactivation_mrr + bridge.expansion_mrr
        - bridge.contraction_mrr - bridge.churn_mrr + bridge.fx_mrr
        + bridge.transfer_in - bridge.transfer_out as explained_mrr,
        months_before.ending_mrr as ending_before

    from bridge

    left join bridge as months_before
        on
            bridge.month = months_before.month + interval 1 month
            and bridge.segment_by = months_before.segment_by
            and bridge.segment = months_before.segment

)

select * from explained

where explained_mrr <> ending_mrr or starting_mrr <> coalesce(ending_before, 0)
