{{ config(severity='warn') }}

-- Invariant 15: nobody is their own ancestor. A parent's parent is followed at most 50 times.
with recursive

ancestors as (

    select
        account_id,
        parent_account_id as ancestor_id,
        1 as depth

    from {{ ref('dim_accounts') }}

    where parent_account_id is not null

    union all

    select
        ancestors.account_id,
        parents.parent_account_id as ancestor_id,
        ancestors.depth + 1 as depth

    from ancestors

    inner join {{ ref('dim_accounts') }} as parents
        on ancestors.ancestor_id = parents.account_id

    where
        parents.parent_account_id is not null
        and ancestors.depth < 50
        and ancestors.ancestor_id <> ancestors.account_id

)

select distinct account_id from ancestors

where account_id = ancestor_id
