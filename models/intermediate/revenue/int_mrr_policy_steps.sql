-- One row per pair of policies and rule in which they differ, in the order in which the first
-- policy's rules are exchanged for the other's, with the rules in force after the exchange. The
-- last step of a pair is the other policy itself; the ones before it are neither's, and are named
-- by their rules. The order of the rules is part of the definition of mrr_policy_bridge. Metered
-- usage is counted beside what is contracted and changes none of it, so it needs no step.

with

policies as (

    select * from {{ ref('mrr_policies') }}

),

rules as (

    select
        policy,
        coalesce(cast(past_due_days as varchar), 'no end') as past_due_days,
        churn_moment,
        discounts,
        trials,
        fx,
        cast(gap_days as varchar) as gap_days

    from policies

),

pairs as (

    select
        a.policy,
        b.policy as compared_policy,
        unnest(['trials', 'past_due', 'churn', 'gap', 'discounts', 'fx']) as rule,
        unnest([1, 2, 3, 4, 5, 6]) as position,
        unnest(
            [
                a.trials <> b.trials,
                a.past_due_days <> b.past_due_days,
                a.churn_moment <> b.churn_moment,
                a.gap_days <> b.gap_days,
                a.discounts <> b.discounts,
                a.fx <> b.fx
            ]
        ) as is_other

    from rules as a

    inner join rules as b
        on (a.policy <> 'standard', a.policy) < (b.policy <> 'standard', b.policy)

),

exchanged as (

    select
        pairs.policy,
        pairs.compared_policy,
        pairs.position,
        pairs.rule,
        lead(pairs.position) over (
            partition by pairs.policy, pairs.compared_policy order by pairs.position
        ) is null as is_last,
        if(pairs.position >= 1, b.trials, a.trials) as trials,
        if(pairs.position >= 2, b.past_due_days, a.past_due_days) as past_due_days,
        if(pairs.position >= 3, b.churn_moment, a.churn_moment) as churn_moment,
        if(pairs.position >= 4, b.gap_days, a.gap_days) as gap_days,
        if(pairs.position >= 5, b.discounts, a.discounts) as discounts,
        if(pairs.position >= 6, b.fx, a.fx) as fx

    from pairs

    inner join rules as a on pairs.policy = a.policy

    inner join rules as b on pairs.compared_policy = b.policy

    where pairs.is_other

),

named as (

    select
        policy,
        compared_policy,
        position,
        rule,
        case
            when is_last then compared_policy
            else
                concat_ws(
                    ', ',
                    'trials ' || trials,
                    'past due ' || past_due_days,
                    'churn ' || churn_moment,
                    'gap ' || gap_days,
                    'discounts ' || discounts,
                    'fx ' || fx
                )
        end as step_policy,
        is_last,
        try_cast(past_due_days as integer) as past_due_days,
        churn_moment,
        discounts,
        trials,
        fx,
        cast(gap_days as integer) as gap_days

    from exchanged

),

final as (

    select
        *,
        lag(step_policy, 1, policy) over (
            partition by policy, compared_policy order by position
        ) as policy_before,
        step_policy as policy_after

    from named

)

select * from final
