-- One row per account, package and licence: its state at the as-of instant. A licence whose last
-- day was yesterday is Expired. Seats are active by the last 30 full days.

with

licenses as (

    select * from {{ ref('int_licenses_dated') }}

),

seats as (

    select * from {{ ref('int_license_seats_held') }}

    where last_day = cast('9999-01-01' as date)

),

user_spans as (

    select * from {{ ref('int_user_spans') }}

    where
        measure = 'mau'
        and basis = 'restated'
        and {{ as_of_day() }} - 1 between first_day and last_day

),

held as (

    select
        seats.license_id,
        count(*) as seats_assigned,
        count(user_spans.user_id) as seats_active

    from seats

    left join user_spans
        on seats.account_id = user_spans.account_id and seats.user_id = user_spans.user_id

    group by seats.license_id

),

counted as (

    select
        licenses.*,
        coalesce(held.seats_assigned, 0) as seats_assigned,
        coalesce(held.seats_active, 0) as seats_active,
        case when not licenses.is_unlimited then licenses.seats_purchased end as seats_limit

    from licenses

    left join held on licenses.license_id = held.license_id

),

final as (

    select
        account_id,
        package,
        license_id,
        case
            when suspended_on is not null then 'Suspended'
            when expires_on < {{ as_of_day() }} then 'Expired'
            when is_trial then 'Trial'
            else 'Active'
        end as status,
        cast(seats_purchased as bigint) as seats_purchased,
        cast(seats_allocated as bigint) as seats_allocated,
        cast(seats_assigned as bigint) as seats_assigned,
        cast(seats_active as bigint) as seats_active,
        cast(seats_assigned / nullif(seats_limit, 0) as double) as license_utilization_ratio,
        cast(seats_active / nullif(seats_limit, 0) as double) as active_seat_ratio,
        cast(expires_on - {{ as_of_day() }} as bigint) as days_to_expiration,
        is_unlimited,
        expires_on is null as is_perpetual,
        started_on,
        suspended_on,
        expires_on

    from counted

)

select * from final
