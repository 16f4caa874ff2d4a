-- Cut by whatever attribute, the segments' sums are those of the accounts, and what leaves one
-- segment arrives in another. By plan the parts of an account's movement may be transfers: there
-- the movements' net is what agrees.
with

bridge as (

    select
        month,
        segment_by,
        sum(starting_mrr) as starting_mrr,
        sum(
            new_mrr + reactivation_mrr + expansion_mrr - contraction_mrr - churn_mrr
        ) as net_movement,
        sum(fx_mrr) as fx_mrr,
        sum(ending_mrr) as ending_mrr,
        sum(transfer_in) - sum(transfer_out) as net_transfer

    from {{ ref('mrr_bridge_monthly') }}

    group by month, segment_by

),

accounts as (

    select
        month,
        sum(starting_mrr) as starting_mrr,
        sum(
            new_mrr + reactivation_mrr + expansion_mrr - contraction_mrr - churn_mrr
        ) as net_movement,
        sum(fx_mrr) as fx_mrr,
        sum(ending_mrr) as ending_mrr

    from {{ ref('fct_mrr_monthly') }}

    where policy = 'standard'

    group by month

)

select
    bridge.*,
    accounts.starting_mrr as accounts_starting_mrr,
    accounts.net_movement as accounts_net_movement,
    accounts.fx_mrr as accounts_fx_mrr,
    accounts.ending_mrr as accounts_ending_mrr

from bridge

inner join accounts on bridge.month = accounts.month

where
    bridge.net_transfer <> 0
    or bridge.starting_mrr <> accounts.starting_mrr
    or bridge.net_movement <> accounts.net_movement
    or bridge.fx_mrr <> accounts.fx_mrr
    or bridge.ending_mrr <> accounts.ending_mrr
