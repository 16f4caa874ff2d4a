-- One row per task of an account that is no test one, with its state at the as-of instant. A task
-- that is due on the as-of day is not overdue yet.

with

tasks as (

    select * from {{ ref('stg_crm__tasks') }}

    where is_latest and (deleted_at is null or deleted_at >= {{ as_of() }})

),

accounts as (

    select * from {{ ref('int_accounts_named') }}

),

team_members as (

    select * from {{ ref('stg_crm__team_members') }}

    where is_latest

),

judged as (

    select
        tasks.task_id,
        accounts.account_id,
        tasks.task_type,
        tasks.status,
        tasks.priority,
        tasks.assignee_id,
        team_members.full_name as assignee_name,
        coalesce(tasks.extras ->> 'source', 'crm') as source,
        tasks.due_on,
        tasks.created_at,
        tasks.completed_at,
        {{ local_day('tasks.created_at') }} as created_on,
        {{ local_day('tasks.completed_at') }} as completed_on,
        tasks.completed_at is not null
        or tasks.status in ('completed', 'complete', 'done', 'closed') as is_completed,
        tasks.status in ('cancelled', 'canceled') as is_cancelled,
        coalesce(tasks.updated_at >= {{ as_of() }}, true) as is_history_assumed

    from tasks

    inner join accounts on tasks.account_id = accounts.named_id

    left join team_members on tasks.assignee_id = team_members.team_member_id

),

opened as (

    select
        *,
        not is_completed and not is_cancelled as is_open

    from judged

),

final as (

    select
        task_id,
        account_id,
        task_type,
        status,
        priority,
        assignee_id,
        assignee_name,
        source,
        case
            when is_open then {{ as_of_day() }} - created_on
            else completed_on - created_on
        end as age_days,
        case
            when is_open and due_on < {{ as_of_day() }} then {{ as_of_day() }} - due_on
            else 0
        end as overdue_days,
        is_open,
        is_completed,
        coalesce(is_open and due_on < {{ as_of_day() }}, false) as is_overdue,
        is_history_assumed,
        created_on,
        due_on,
        completed_on,
        created_at,
        completed_at

    from opened

)

select * from final
