-- One row per account and instant at which a phase of one of its subscriptions begins or ends:
-- what its subscriptions make of it from then until the next one (spec 00, "account status");
-- NULL where they leave it to the CRM's word. Counted as the standard policy counts.

{{ config(materialized='table') }}

with

phases as (

    select * from {{ ref('int_subscription_phases') }}

),

told as (

    select
        *,
        case
            when phase = 'trial' then 'trial'
            when state = 'past_due' then 'past_due'
            else 'customer'
        end as word

    from phases

    where is_latest and policy = 'standard'

),

changes as (

    select
        account_id,
        starts_at as changed_at,
        word,
        1 as change
    from told
    where starts_at < {{ as_of() }}
    union all
    select
        account_id,
        ends_at as changed_at,
        word,
        -1 as change
    from told
    where ends_at < {{ as_of() }}

),

netted as (

    select
        account_id,
        changed_at,
        coalesce(sum(change) filter (where word = 'past_due'), 0) as past_due,
        coalesce(sum(change) filter (where word = 'customer'), 0) as paid,
        coalesce(sum(change) filter (where word = 'trial'), 0) as trial,
        count(*) filter (where word <> 'trial') as paid_so_far

    from changes

    group by account_id, changed_at

),

running as (

    select
        account_id,
        changed_at,
        sum(past_due) over account_so_far as past_due,
        sum(paid) over account_so_far as paid,
        sum(trial) over account_so_far as trial,
        sum(paid_so_far) over account_so_far as paid_so_far

    from netted

    window
        account_so_far as (
            partition by account_id order by changed_at rows unbounded preceding
        )

),

final as (

    select
        account_id,
        changed_at,
        case
            when past_due > 0 then 'past_due'
            when paid > 0 then 'customer'
            when trial > 0 then 'trial'
            when paid_so_far > 0 then 'churned'
        end as account_status

    from running

)

select * from final
