-- One row per task that a workflow gave to somebody.

with

source as (

    select * from {{ source('ledger', 'alert_tasks') }}

),

renamed as (

    select
        task_id,
        alert_id,
        workflow,
        account_id,
        title,
        assignee_role,
        assignee_id,
        created_on,
        due_on,
        done_on,
        closed_how,
        created_at

    from source

)

select * from renamed
