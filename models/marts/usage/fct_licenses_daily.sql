-- One row per account, package, licence and local day from its start to the last full day: its
-- state in force on that day (spec 00, "Time"), with the seats that are held and used at the day's
-- end. What the source says without a history (seats, trial) is today's, and flagged.

{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='append_new_columns',
    full_refresh=false,
    tags=['kept'],
    pre_hook="{{ forget_from_due(ref('int_accounts_due'), 'day') }}",
) }}

with

due as (

    select * from {{ ref('int_accounts_due') }}

),

licenses as (

    select
        licenses.*,
        greatest(licenses.started_on, due.due_from) as due_from

    from {{ ref('int_licenses_dated') }} as licenses

    inner join due on licenses.account_id = due.account_id

),

seats as (

    select * from {{ ref('int_license_seats_held') }}

),

user_spans as (

    select * from {{ ref('int_user_spans') }}

    where measure = 'mau' and basis = 'restated'

),

days as (

    select
        *,
        cast(
            unnest(generate_series(due_from, {{ as_of_day() }} - 1, interval 1 day)) as date
        ) as day

    from licenses

),

spans as (

    select
        license_id,
        first_day,
        last_day,
        1 as assigned,
        0 as active

    from seats

    union all

    -- A seat is active where whoever holds it was active in the 30 days that end with the day.
    select
        seats.license_id,
        greatest(seats.first_day, user_spans.first_day) as first_day,
        least(seats.last_day, user_spans.last_day) as last_day,
        0 as assigned,
        1 as active

    from seats

    inner join user_spans
        on
            seats.account_id = user_spans.account_id
            and seats.user_id = user_spans.user_id
            and seats.first_day <= user_spans.last_day
            and seats.last_day >= user_spans.first_day

),

deltas as (

    select
        spans.license_id,
        greatest(spans.first_day, licenses.due_from) as day,
        spans.assigned,
        spans.active

    from spans

    inner join licenses on spans.license_id = licenses.license_id

    where spans.last_day >= licenses.due_from

    union all

    select
        spans.license_id,
        spans.last_day + 1 as day,
        -spans.assigned as assigned,
        -spans.active as active

    from spans

    inner join licenses on spans.license_id = licenses.license_id

    where spans.last_day >= licenses.due_from

),

deltas_by_day as (

    select
        license_id,
        day,
        sum(assigned) as assigned,
        sum(active) as active

    from deltas

    group by license_id, day

),

running as (

    select
        days.*,
        sum(coalesce(deltas_by_day.assigned, 0)) over license_so_far as seats_assigned,
        sum(coalesce(deltas_by_day.active, 0)) over license_so_far as seats_active,
        case when not days.is_unlimited then days.seats_purchased end as seats_limit

    from days

    left join deltas_by_day
        on days.license_id = deltas_by_day.license_id and days.day = deltas_by_day.day

    window
        license_so_far as (
            partition by days.license_id order by days.day rows unbounded preceding
        )

),

final as (

    select
        account_id,
        package,
        license_id,
        day,
        case
            when suspended_on <= day then 'Suspended'
            when expires_on < day then 'Expired'
            when is_trial then 'Trial'
            else 'Active'
        end as status,
        expires_on,
        cast(seats_purchased as bigint) as seats_purchased,
        cast(seats_allocated as bigint) as seats_allocated,
        cast(seats_assigned as bigint) as seats_assigned,
        cast(seats_active as bigint) as seats_active,
        cast(seats_assigned / nullif(seats_limit, 0) as double) as license_utilization_ratio,
        cast(seats_active / nullif(seats_limit, 0) as double) as active_seat_ratio,
        is_unlimited,
        coalesce({{ first_instant('day + 1') }} <= updated_at, true) as is_history_assumed

    from running

)

select * from final
