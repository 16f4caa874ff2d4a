-- One row per deal of an account that is no test one, with its state at the as-of instant. The last
-- stage that its history names counts, and without a history its own. A CRM that does not say when
-- a deal was closed says by its stage, or by is_won, that it was.

with

deals as (

    select * from {{ ref('stg_crm__deals') }}

    where is_latest

),

stages as (

    select * from {{ ref('int_deals_staged') }}

    where left_at is null

),

accounts as (

    select * from {{ ref('int_companies_known') }}

    where is_latest and not is_test

),

owners as (

    select * from {{ ref('int_account_owners') }}

    where is_latest

),

team_members as (

    select * from {{ ref('stg_crm__team_members') }}

    where is_latest

),

rates as (

    select * from {{ ref('int_fx_rates_monthly') }}

),

staged as (

    -- is_won tells of the stage that the deal is in by now, and not of an earlier one.
    select
        deals.deal_id,
        accounts.account_id,
        deals.deal_name,
        deals.deal_type,
        deals.owner_id,
        deals.amount,
        coalesce(
            deals.currency,
            {{ currency_code('accounts.currency') }},
            '{{ var("reporting_currency") }}'
        ) as currency,
        deals.is_won,
        deals.is_closed_later,
        deals.created_at,
        deals.expected_close_on,
        deals.closed_at as told_closed_at,
        stages.stage,
        stages.stage_number,
        stages.entered_at,
        stages.is_history_assumed,
        coalesce(
            deals.is_won and (deals.closed_at is not null or stages.stage = deals.stage), false
        ) as is_told_won,
        regexp_replace(lower(stages.stage), '[^a-z]', '', 'g') as stage_word

    from deals

    inner join stages on deals.deal_id = stages.deal_id

    left join owners on deals.account_id = owners.account_id

    inner join accounts on coalesce(owners.owner_id, deals.account_id) = accounts.account_id

),

judged as (

    select
        *,
        case
            when is_closed_later then 'open'
            when is_told_won then 'won'
            when
                stage_word in ('won', 'closedwon')
                and (told_closed_at is null or coalesce(is_won, true))
                then 'won'
            when told_closed_at is not null or stage_word in ('lost', 'closedlost') then 'lost'
            else 'open'
        end as outcome

    from staged

),

closed as (

    select
        *,
        case
            when outcome = 'open' then null
            when told_closed_at is not null then told_closed_at
            when not is_history_assumed then entered_at
        end as closed_at

    from judged

),

dated as (

    -- An open deal is worth what its amount is today, a closed one what it was then.
    select
        *,
        {{ local_day('created_at') }} as created_on,
        {{ local_day('closed_at') }} as closed_on,
        cast(
            date_trunc('month', coalesce({{ local_day('closed_at') }}, {{ known_day(as_of()) }}))
            as date
        ) as rate_month

    from closed

),

valued as (

    select
        dated.*,
        cast(
            round_even(
                cast(dated.amount as decimal(38, 4))
                * {{ reporting_rate('dated.currency', 'rates.rate') }},
                2
            ) as decimal(18, 2)
        ) as deal_amount

    from dated

    left join rates on dated.currency = rates.currency and dated.rate_month = rates.month

),

final as (

    select
        valued.deal_id,
        valued.account_id,
        valued.deal_name,
        valued.deal_type,
        valued.stage,
        valued.outcome,
        valued.owner_id,
        team_members.full_name as owner_name,
        valued.currency,
        cast(valued.amount as decimal(18, 4)) as deal_amount_original,
        valued.deal_amount,
        case when valued.outcome = 'open' then valued.deal_amount else 0 end
            as open_pipeline_amount,
        case when valued.outcome = 'won' then valued.deal_amount else 0 end as won_amount,
        valued.stage_number as stage_count,
        case
            when valued.outcome = 'open' then {{ as_of_day() }} - valued.created_on
            else valued.closed_on - valued.created_on
        end as age_days,
        case
            when valued.outcome = 'open'
                then {{ as_of_day() }} - {{ local_day('valued.entered_at') }}
        end as days_in_stage,
        valued.outcome = 'open' as is_open,
        valued.outcome = 'won' as is_won,
        coalesce(
            valued.outcome = 'open' and valued.expected_close_on < {{ as_of_day() }}, false
        ) as is_overdue,
        valued.is_history_assumed,
        valued.created_on,
        valued.expected_close_on,
        valued.closed_on,
        valued.created_at,
        valued.entered_at as stage_entered_at,
        valued.closed_at

    from valued

    left join team_members on valued.owner_id = team_members.team_member_id

)

select * from final
