-- One row per account that is no test one and no lead: from the start of its onboarding, else its
-- first trial or paid day, else its creation, to its first value event (seeds/value_events.csv), as
-- all that is known now has it. Without one by the as-of day the days are censored: that many, and
-- it still waits.

with

accounts as (

    select * from {{ ref('dim_accounts') }}

    where not is_test and not is_lead

),

phases as (

    select * from {{ ref('int_subscription_phases') }}

    where policy = 'standard' and is_latest

),

value_events as (

    select * from {{ ref('value_events') }}

),

use_days as (

    select * from {{ ref('int_use_days') }}

),

event_type_days as (

    select * from {{ ref('int_event_type_days') }}

),

first_phases as (

    select
        account_id,
        {{ local_day('min(starts_at)') }} as started_on

    from phases

    where starts_at < {{ as_of() }}

    group by account_id

),

happened as (

    select
        account_id,
        'module' as kind,
        module as name,
        day
    from use_days
    where module <> '(none)'
    union all
    select
        account_id,
        'feature' as kind,
        feature as name,
        day
    from use_days
    where feature <> '(none)'
    union all
    select
        account_id,
        'event' as kind,
        event_name as name,
        day
    from event_type_days
    where event_name is not null

),

arrivals as (

    select
        happened.account_id,
        min(happened.day) as first_value_on,
        min_by(
            value_events.value_event,
            struct_pack(day := happened.day, value_event := value_events.value_event)
        ) as value_event

    from happened

    inner join value_events
        on happened.kind = value_events.kind and value_events.name in (happened.name, '*')

    where happened.day < {{ as_of_day() }}

    group by happened.account_id

),

begun as (

    select
        accounts.account_id,
        accounts.tier,
        accounts.size_band,
        case
            when accounts.onboarding_started_at is not null then 'onboarding'
            when first_phases.started_on is not null then 'subscription'
            else 'creation'
        end as started_by,
        coalesce(
            {{ local_day('accounts.onboarding_started_at') }},
            first_phases.started_on,
            accounts.created_on
        ) as started_on

    from accounts

    left join first_phases on accounts.account_id = first_phases.account_id

),

final as (

    select
        begun.account_id,
        {{ segment('begun.tier') }} as tier,
        {{ segment('begun.size_band') }} as size_band,
        begun.started_on,
        begun.started_by,
        arrivals.first_value_on,
        arrivals.value_event,
        cast(
            greatest(
                coalesce(arrivals.first_value_on, {{ as_of_day() }}) - begun.started_on, 0
            ) as bigint
        ) as days,
        arrivals.first_value_on is null as is_censored,
        coalesce(arrivals.first_value_on < begun.started_on, false) as is_value_before_start

    from begun

    left join arrivals on begun.account_id = arrivals.account_id

    where begun.started_on < {{ as_of_day() }}

)

select * from final
