-- One row per account and instant at which somebody became or ceased to be its csm: who looks
-- after it from then until the next one, the latest assigned; nobody is a row with NULL.

{{ config(materialized='table') }}

with

account_team as (

    select * from {{ ref('int_account_team_linked') }}

),

team_members as (

    select * from {{ ref('stg_crm__team_members') }}

),

assignments as (

    select
        account_id,
        team_member_id,
        valid_from,
        least(valid_to, {{ happened('deleted_at') }}) as valid_until

    from account_team

    where is_latest and role = 'csm'

),

instants as (

    select
        account_id,
        valid_from as changed_at
    from assignments
    union
    select
        account_id,
        valid_until as changed_at
    from assignments
    where valid_until < {{ as_of() }}

),

latest as (

    select
        instants.account_id,
        instants.changed_at,
        assignments.team_member_id

    from instants

    left join assignments
        on
            instants.account_id = assignments.account_id
            and instants.changed_at >= assignments.valid_from
            and (
                assignments.valid_until is null
                or instants.changed_at < assignments.valid_until
            )

    qualify
        row_number() over (
            partition by instants.account_id, instants.changed_at
            order by assignments.valid_from desc, assignments.team_member_id asc
        ) = 1

),

final as (

    select
        latest.account_id,
        latest.changed_at,
        latest.team_member_id as csm_id,
        team_members.full_name as csm_name

    from latest

    left join team_members
        on latest.team_member_id = team_members.team_member_id and team_members.is_latest

)

select * from final
