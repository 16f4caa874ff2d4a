-- One row per deal and stage that it was in, one after the other; two changes to one stage are one.
-- A deal without a history has been in its own stage from its creation on (is_history_assumed).
-- What stands before the first change nobody says.

with

deals as (

    select * from {{ ref('stg_crm__deals') }}

    where is_latest and (deleted_at is null or deleted_at >= {{ as_of() }})

),

changes as (

    select * from {{ ref('stg_crm__deal_stage_changes') }}

),

entered as (

    select
        deal_id,
        stage,
        changed_at as entered_at

    from changes

    qualify stage is distinct from lag(stage) over (partition by deal_id order by changed_at)

),

stages as (

    select
        deals.deal_id,
        coalesce(entered.stage, deals.stage) as stage,
        coalesce(entered.entered_at, deals.created_at) as entered_at,
        entered.deal_id is null as is_history_assumed

    from deals

    left join entered on deals.deal_id = entered.deal_id

),

final as (

    select
        deal_id,
        row_number() over (partition by deal_id order by entered_at) as stage_number,
        stage,
        entered_at,
        lead(entered_at) over (partition by deal_id order by entered_at) as left_at,
        is_history_assumed

    from stages

)

select * from final
