-- One row per task of an account that is no test one, with its state at the as-of instant: those of
-- the CRM, and those that workflows gave to somebody. A task that is due on the as-of day is not
-- overdue yet.

with

tasks as (

    select * from {{ ref('stg_crm__tasks') }}

    where is_latest and (deleted_at is null or deleted_at >= {{ as_of() }})

),

alert_tasks as (

    select * from {{ ref('stg_ledger__alert_tasks') }}

),

accounts as (

    select * from {{ ref('int_accounts_named') }}

),

team_members as (

    select * from {{ ref('stg_crm__team_members') }}

    where is_latest

),

gathered as (

    select
        task_id,
        account_id,
        task_type,
        status,
        priority,
        assignee_id,
        coalesce(extras ->> 'source', 'crm') as source,
        due_on,
        {{ local_day('created_at') }} as created_on,
        {{ local_day('completed_at') }} as completed_on,
        created_at,
        completed_at,
        updated_at is null as is_history_assumed

    from tasks

    union all by name

    -- A task of a workflow is created, due and done on data days.
    select
        task_id,
        account_id,
        title as task_type,
        case when done_on is null then 'open' else coalesce(closed_how, 'done') end as status,
        assignee_id,
        'alert' as source,
        due_on,
        created_on,
        done_on as completed_on,
        created_at,
        {{ first_instant('done_on') }} as completed_at,
        false as is_history_assumed

    from alert_tasks

),

judged as (

    select
        tasks.*,
        accounts.account_id as owner_id,
        team_members.full_name as assignee_name,
        tasks.completed_on is not null
        or tasks.status in ('completed', 'complete', 'done', 'closed') as is_completed,
        tasks.status in ('cancelled', 'canceled') as is_cancelled

    from gathered as tasks

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
        owner_id as account_id,
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
