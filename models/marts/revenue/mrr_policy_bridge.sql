-- One row per account, month and pair of policies under which its ending MRR differs, with the
-- difference split by the rule that causes it. The rules are exchanged one at a time, in the order
-- of int_mrr_policy_steps, and every step is counted like a policy of its own: what an exchange
-- changes is that rule's part, and the last one's is what the others leave of the two policies'
-- difference. So the parts sum to the difference, and the order belongs to the definition.

with

rated as (

    select * from {{ ref('int_subscription_items_rated') }}

),

policies as (

    select * from {{ ref('int_mrr_policies') }}

),

metered as (

    select * from {{ ref('int_metered_mrr_changes') }}

),

steps as (

    select * from {{ ref('int_mrr_policy_steps') }}

),

changes as (

    select * from {{ ref('int_mrr_changes') }}

),

monthly as (

    select * from {{ ref('fct_mrr_monthly') }}

),

first_months as (

    select * from {{ ref('int_account_first_months') }}

),

last_steps as (

    select
        policy,
        compared_policy,
        rule,
        unnest([compared_policy, policy]) as side_policy,
        unnest([1, -1]) as sign

    from steps

    where is_last

),

step_amounts as (

    select * from rated

    where rule is not null

),

stepped as (

    select
        account_id,
        policy,
        compared_policy,
        rule,
        {{ local_month('starts_at') }} as month,
        sign * (amount - coalesce(amount_before, 0)) as amount

    from step_amounts

    union all

    select
        account_id,
        policy,
        compared_policy,
        rule,
        {{ local_month('ends_at') }} as month,
        -sign * amount as amount

    from step_amounts

    where is_last and ends_at < {{ as_of() }}

),

whole_shifts as (

    -- What two policies count alike is most of it, and goes here.
    select
        changes.account_id,
        last_steps.policy,
        last_steps.compared_policy,
        last_steps.rule,
        {{ local_month('changes.moved_at') }} as month,
        cast(sum(last_steps.sign * (changes.amount + changes.fx_amount)) as decimal(18, 2))
            as amount

    from changes

    inner join last_steps on changes.policy = last_steps.side_policy

    group by all

    having sum(last_steps.sign * (changes.amount + changes.fx_amount)) <> 0

),

contracted_shifts as (

    select * from stepped

    union all

    -- The whole difference, under the last rule, and the other rules' parts out of it again.
    select * from whole_shifts

    union all

    select
        stepped.account_id,
        stepped.policy,
        stepped.compared_policy,
        steps.rule,
        stepped.month,
        -stepped.amount as amount

    from stepped

    inner join steps
        on
            stepped.policy = steps.policy
            and stepped.compared_policy = steps.compared_policy
            and steps.is_last

),

metered_pairs as (

    -- The metered part of a pair is the metered MRR itself, under the one that counts it.
    select
        a.policy,
        b.policy as compared_policy,
        if(b.metered = 'included', b.policy, a.policy) as metered_policy,
        if(b.metered = 'included', 1, -1) as sign

    from policies as a

    inner join policies as b
        on
            (a.policy <> 'standard', a.policy) < (b.policy <> 'standard', b.policy)
            and a.metered <> b.metered

    where a.is_published and b.is_published

),

shifts as (

    select * from contracted_shifts

    union all

    select
        metered.account_id,
        metered_pairs.policy,
        metered_pairs.compared_policy,
        'metered' as rule,
        {{ local_month('metered.moved_at') }} as month,
        metered_pairs.sign * metered.amount as amount

    from metered

    inner join metered_pairs on metered.policy = metered_pairs.metered_policy

),

monthly_shifts as (

    select
        account_id,
        policy,
        compared_policy,
        month,
        cast(sum(amount) filter (where rule = 'trials') as decimal(18, 2)) as trials_shift,
        cast(sum(amount) filter (where rule = 'past_due') as decimal(18, 2)) as past_due_shift,
        cast(sum(amount) filter (where rule = 'churn') as decimal(18, 2)) as churn_shift,
        cast(sum(amount) filter (where rule = 'gap') as decimal(18, 2)) as gap_shift,
        cast(sum(amount) filter (where rule = 'discounts') as decimal(18, 2)) as discounts_shift,
        cast(sum(amount) filter (where rule = 'metered') as decimal(18, 2)) as metered_shift,
        cast(sum(amount) filter (where rule = 'fx') as decimal(18, 2)) as fx_shift

    from shifts

    group by all

),

counted as (

    select monthly_shifts.*

    from monthly_shifts

    semi join first_months on monthly_shifts.account_id = first_months.account_id

),

running as (

    select
        account_id,
        policy,
        compared_policy,
        month,
        coalesce(sum(trials_shift) over up_to_here, 0) as trials_difference,
        coalesce(sum(past_due_shift) over up_to_here, 0) as past_due_difference,
        coalesce(sum(churn_shift) over up_to_here, 0) as churn_difference,
        coalesce(sum(gap_shift) over up_to_here, 0) as gap_difference,
        coalesce(sum(discounts_shift) over up_to_here, 0) as discounts_difference,
        coalesce(sum(metered_shift) over up_to_here, 0) as metered_difference,
        coalesce(sum(fx_shift) over up_to_here, 0) as fx_difference,
        coalesce(
            lead(month) over (partition by account_id, policy, compared_policy order by month),
            cast(date_trunc('month', {{ as_of_day() }} - 1) + interval 1 month as date)
        ) as next_month

    from counted

    window
        up_to_here as (
            partition by account_id, policy, compared_policy
            order by month
            rows unbounded preceding
        )

),

filled as (

    select
        * exclude (month, next_month),
        trials_difference + past_due_difference + churn_difference + gap_difference
        + discounts_difference + metered_difference + fx_difference as difference,
        cast(unnest(range(month, next_month, interval 1 month)) as date) as month

    from running

    where
        (
            trials_difference,
            past_due_difference,
            churn_difference,
            gap_difference,
            discounts_difference,
            metered_difference,
            fx_difference
        )
        <> (0, 0, 0, 0, 0, 0, 0)

),

final as (

    select
        filled.account_id,
        filled.month,
        filled.policy,
        filled.compared_policy,
        monthly.ending_mrr,
        -- assert_policy_differences_are_explained holds it against the other policy's own ending.
        cast(monthly.ending_mrr + filled.difference as decimal(18, 2)) as compared_mrr,
        cast(filled.difference as decimal(18, 2)) as difference,
        cast(filled.trials_difference as decimal(18, 2)) as trials_difference,
        cast(filled.past_due_difference as decimal(18, 2)) as past_due_difference,
        cast(filled.churn_difference as decimal(18, 2)) as churn_difference,
        cast(filled.gap_difference as decimal(18, 2)) as gap_difference,
        cast(filled.discounts_difference as decimal(18, 2)) as discounts_difference,
        cast(filled.metered_difference as decimal(18, 2)) as metered_difference,
        cast(filled.fx_difference as decimal(18, 2)) as fx_difference

    from filled

    inner join monthly
        on
            filled.account_id = monthly.account_id
            and filled.month = monthly.month
            and filled.policy = monthly.policy

)

select * from final
