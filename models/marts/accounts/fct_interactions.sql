-- One row per interaction with a customer before the as-of instant. An e-mail that two sources tell
-- of (message_id) is one: the copy that is dated first stands, with what only another one knows.

with

interactions as (

    select * from {{ ref('stg_crm__interactions') }}

    where is_latest and (deleted_at is null or deleted_at >= {{ as_of() }})

),

accounts as (

    select * from {{ ref('int_accounts_named') }}

),

team_members as (

    select * from {{ ref('stg_crm__team_members') }}

    where is_latest

),

told as (

    select
        interactions.interaction_id,
        accounts.account_id,
        interactions.interaction_type,
        interactions.sub_type,
        interactions.direction,
        interactions.subject,
        interactions.contact_id,
        interactions.team_member_id,
        interactions.message_id,
        interactions.interaction_source,
        interactions.is_completed,
        interactions.occurred_at,
        case
            when interactions.interaction_type = 'email' then interactions.message_id
        end as copied_id

    from interactions

    inner join accounts on interactions.account_id = accounts.named_id

),

copied as (

    select
        interaction_id,
        account_id,
        interaction_type,
        sub_type,
        message_id,
        interaction_source,
        occurred_at,
        first_value(contact_id ignore nulls) over copies as contact_id,
        first_value(team_member_id ignore nulls) over copies as team_member_id,
        first_value(subject ignore nulls) over copies as subject,
        first_value(direction ignore nulls) over copies as direction,
        bool_or(is_completed) over copies as is_completed,
        count(*) over copies as copy_count,
        row_number() over copies as copy_number

    from told

    window
        copies as (
            partition by
                account_id, copied_id, case when copied_id is null then interaction_id end
            order by occurred_at, interaction_id
            rows between unbounded preceding and unbounded following
        )

),

final as (

    select
        copied.interaction_id,
        copied.account_id,
        copied.interaction_type,
        copied.sub_type,
        copied.direction,
        copied.subject,
        copied.contact_id,
        copied.team_member_id,
        team_members.full_name as team_member_name,
        copied.message_id,
        copied.interaction_source as source,
        copied.copy_count,
        copied.is_completed,
        copied.is_completed
        and (
            copied.interaction_type in ('call', 'meeting', 'check_in', 'training', 'qbr')
            or coalesce(copied.interaction_type = 'email' and copied.direction = 'inbound', false)
        ) as is_two_way,
        {{ local_day('copied.occurred_at') }} as occurred_on,
        copied.occurred_at

    from copied

    left join team_members on copied.team_member_id = team_members.team_member_id

    where copied.copy_number = 1

)

select * from final
