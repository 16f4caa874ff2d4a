-- One row per account, role, member of our team and start: who looks after it, now and then. What
-- two accounts that are one by now both say stands once, until the later end.

with

account_team as (

    select * from {{ ref('int_account_team_linked') }}

    where is_latest

),

accounts as (

    select * from {{ ref('int_companies_known') }}

    where is_latest and not is_test

),

team_members as (

    select * from {{ ref('stg_crm__team_members') }}

    where is_latest

),

assignments as (

    select
        account_team.account_id,
        account_team.role,
        account_team.team_member_id,
        account_team.valid_from,
        nullif(
            max(
                coalesce(
                    least(account_team.valid_to, {{ happened('account_team.deleted_at') }}),
                    cast('9999-12-31' as timestamp with time zone)
                )
            ),
            cast('9999-12-31' as timestamp with time zone)
        ) as valid_to

    from account_team

    inner join accounts on account_team.account_id = accounts.account_id

    group by all

),

in_force as (

    select
        *,
        coalesce(valid_to > {{ as_of() }}, true) as is_current

    from assignments

),

final as (

    select
        in_force.account_id,
        in_force.role,
        in_force.team_member_id,
        team_members.full_name,
        team_members.email,
        managers.team_member_id as manager_id,
        managers.full_name as manager_name,
        in_force.is_current,
        in_force.is_current
        and row_number() over (
            partition by in_force.account_id, in_force.role, in_force.is_current
            order by in_force.valid_from desc, in_force.team_member_id asc
        ) = 1 as is_primary,
        in_force.valid_from,
        in_force.valid_to

    from in_force

    left join team_members on in_force.team_member_id = team_members.team_member_id

    left join team_members as managers on team_members.manager_id = managers.team_member_id

)

select * from final
