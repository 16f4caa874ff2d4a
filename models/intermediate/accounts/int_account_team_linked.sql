-- One row per version of an assignment of a team member and account that it counts under: its own,
-- until the merge of that one into another is known, then that other one.

with

linked as (

    select * from {{ ref('stg_crm__account_team') }}

),

owners as (

    select * from {{ ref('int_account_owners') }}

),

final as (

    select
        linked.* exclude (account_id, known_from, known_until, is_latest),
        {{ under_owner('linked') }}

    from linked

    left join owners on linked.account_id = owners.account_id

    where {{ is_told_under_owner('linked') }}

)

select * from final
