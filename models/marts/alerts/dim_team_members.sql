-- One row per member of our own team: who may be told, and who manages whom. Alerts look here for
-- the address of a role.

with

team_members as (

    select * from {{ ref('stg_crm__team_members') }}

    where is_latest

),

final as (

    select
        team_member_id,
        full_name,
        email,
        manager_id,
        coalesce(is_active, true) and (deleted_at is null or deleted_at >= {{ as_of() }})
            as is_active

    from team_members

)

select * from final
