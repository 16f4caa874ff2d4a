-- One row per note about a customer: an interaction of that kind. The note itself stays in the CRM.

with

interactions as (

    select * from {{ ref('fct_interactions') }}

),

final as (

    select
        interaction_id as note_id,
        account_id,
        sub_type as note_kind,
        subject,
        contact_id,
        team_member_id,
        team_member_name,
        source,
        occurred_on as noted_on,
        occurred_at as noted_at

    from interactions

    where interaction_type = 'note'

)

select * from final
