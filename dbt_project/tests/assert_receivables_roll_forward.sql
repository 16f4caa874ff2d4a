-- Opening + invoiced - paid - credited - settled - written off - voided = closing, which is what is
-- outstanding less credit balances and where the next month opens; the ages sum to what is
-- outstanding.
-- Where the openings of an account, as a set, are its closings a month later (told by sums of 64
-- bits), the chain holds: only the months of others are put in order.
with

receivables as (

    select
        *,
        opening_amount + invoiced_amount - paid_amount - credited_amount - settled_amount
        - written_off_amount - voided_amount <> closing_amount
        or outstanding_amount - credit_balance_amount <> closing_amount
        or not_due_amount + overdue_1_30_amount + overdue_31_60_amount + overdue_61_90_amount
        + overdue_over_90_amount <> outstanding_amount as is_wrong

    from {{ ref('receivables_monthly') }}

),

suspects as (

    select account_id

    from receivables

    group by account_id

    having
        bool_or(is_wrong)
        or
        sum(hash(month, opening_amount))
        + hash(cast(max(month) + interval 1 month as date), arg_max(closing_amount, month))
        <> sum(hash(cast(month + interval 1 month as date), closing_amount))
        + hash(min(month), cast(0 as decimal(18, 2)))

),

chained as (

    select
        receivables.*,
        lag(receivables.closing_amount, 1, 0) over (
            partition by receivables.account_id order by receivables.month
        ) as closing_before

    from receivables

    semi join suspects on receivables.account_id = suspects.account_id

)

select * from chained

where is_wrong or opening_amount <> closing_before
