-- One row per account that somebody looks after as its csm at the as-of instant: the latest
-- assigned.

with

account_team as (

    select * from {{ ref('int_account_team_linked') }}

),

team_members as (

    select * from {{ ref('stg_crm__team_members') }}

),

final as (

    select
        account_team.account_id,
        account_team.team_member_id as csm_id,
        team_members.full_name as csm_name,
        team_members.email as csm_email,
        managers.team_member_id as manager_id,
        managers.full_name as manager_name

    from account_team

    left join team_members
        on account_team.team_member_id = team_members.team_member_id and team_members.is_latest

    left join team_members as managers
        on team_members.manager_id = managers.team_member_id and managers.is_latest

    where
        account_team.is_latest
        and account_team.role = 'csm'
        and coalesce(
            least(account_team.valid_to, {{ happened('account_team.deleted_at') }})
            > {{ as_of() }},
            true
        )

    qualify
        row_number() over (
            partition by account_team.account_id
            order by account_team.valid_from desc, account_team.team_member_id asc
        ) = 1

)

select * from final
