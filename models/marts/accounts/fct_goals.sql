-- One row per goal of an account that is no test one, with its state at the as-of instant. A goal
-- that is due on the as-of day is not overdue yet.

with

goals as (

    select * from {{ ref('stg_crm__goals') }}

    where is_latest and (deleted_at is null or deleted_at >= {{ as_of() }})

),

accounts as (

    select * from {{ ref('int_accounts_named') }}

),

judged as (

    select
        goals.goal_id,
        accounts.account_id,
        goals.title as goal_title,
        goals.status,
        goals.priority,
        goals.progress_ratio,
        goals.due_on,
        goals.created_at,
        goals.completed_at,
        {{ local_day('goals.created_at') }} as created_on,
        {{ local_day('goals.completed_at') }} as completed_on,
        goals.completed_at is not null
        or goals.status in ('completed', 'complete', 'done', 'achieved', 'reached') as is_completed,
        goals.status in ('cancelled', 'canceled') as is_cancelled,
        goals.updated_at is null as is_history_assumed

    from goals

    inner join accounts on goals.account_id = accounts.named_id

),

opened as (

    select
        *,
        not is_completed and not is_cancelled as is_open

    from judged

),

final as (

    select
        goal_id,
        account_id,
        goal_title,
        status,
        priority,
        progress_ratio,
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
