-- One row per deal and stage that it was in, one after the other, with how long: to the next stage,
-- for the last one to the deal's closing, or to the as-of instant while it is open.

with

stages as (

    select * from {{ ref('int_deals_staged') }}

),

deals as (

    select * from {{ ref('fct_deals') }}

),

ended as (

    -- A closed deal spends no more time in a stage, whatever is changed afterwards.
    select
        stages.*,
        deals.account_id,
        greatest(
            stages.entered_at,
            case
                when deals.is_open then coalesce(stages.left_at, {{ as_of() }})
                else least(stages.left_at, deals.closed_at)
            end
        ) as ended_at,
        deals.is_open or stages.left_at is not null or deals.closed_at is not null as is_timed

    from stages

    inner join deals on stages.deal_id = deals.deal_id

),

final as (

    select
        deal_id,
        stage_number,
        account_id,
        stage,
        case
            when is_timed
                then cast((epoch_us(ended_at) - epoch_us(entered_at)) / 86400000000 as double)
        end as duration_days,
        left_at is null as is_current,
        is_history_assumed,
        {{ local_day('entered_at') }} as entered_on,
        entered_at,
        left_at

    from ended

)

select * from final
