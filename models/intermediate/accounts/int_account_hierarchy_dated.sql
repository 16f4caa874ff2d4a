-- One row per account and stretch of time in which it had the same parent, and the same standing in
-- cycles. Where parents lead back to the account, none of those in the cycle is followed
-- (is_refused), for as long as the cycle lasts (spec 00, invariant 15). A parent that nobody knows
-- is none.

{{ config(materialized='table') }}

with recursive

history as (

    select * from {{ ref('account_history') }}

),

accounts as (

    select distinct account_id from history

),

parented as (

    select
        history.account_id,
        accounts.account_id as parent_account_id,
        history.relationship,
        history.valid_from

    from history

    left join accounts on history.parent_account_id = accounts.account_id

    qualify
        row(accounts.account_id, history.relationship) is distinct from lag(
            row(accounts.account_id, history.relationship)
        ) over (partition by history.account_id order by history.valid_from)

),

links as (

    select
        *,
        coalesce(
            lead(valid_from) over (partition by account_id order by valid_from),
            cast('9999-12-31' as timestamp with time zone)
        ) as valid_until

    from parented

),

walked as (

    select
        account_id,
        parent_account_id as ancestor_id,
        valid_from,
        valid_until,
        list_value(account_id) as passed

    from links

    where parent_account_id is not null

    union all

    select
        walked.account_id,
        links.parent_account_id as ancestor_id,
        greatest(walked.valid_from, links.valid_from) as valid_from,
        least(walked.valid_until, links.valid_until) as valid_until,
        list_append(walked.passed, walked.ancestor_id) as passed

    from walked

    inner join links
        on
            walked.ancestor_id = links.account_id
            and walked.valid_from < links.valid_until
            and walked.valid_until > links.valid_from

    where
        links.parent_account_id is not null
        and not list_contains(walked.passed, walked.ancestor_id)

),

cycles as (

    select
        account_id,
        valid_from,
        valid_until

    from walked

    where account_id = ancestor_id

),

turns as (

    select
        account_id,
        valid_from
    from links
    union
    select
        account_id,
        valid_from
    from cycles
    union
    select
        account_id,
        valid_until as valid_from
    from cycles
    where valid_until < cast('9999-12-31' as timestamp with time zone)

),

stretches as (

    select
        *,
        coalesce(
            lead(valid_from) over (partition by account_id order by valid_from),
            cast('9999-12-31' as timestamp with time zone)
        ) as valid_until

    from turns

),

final as (

    select
        stretches.account_id,
        links.parent_account_id,
        links.relationship,
        cycles.account_id is not null as is_refused,
        stretches.valid_from,
        stretches.valid_until

    from stretches

    inner join links
        on
            stretches.account_id = links.account_id
            and stretches.valid_from >= links.valid_from
            and stretches.valid_from < links.valid_until

    left join cycles
        on
            stretches.account_id = cycles.account_id
            and stretches.valid_from >= cycles.valid_from
            and stretches.valid_from < cycles.valid_until

)

select * from final
