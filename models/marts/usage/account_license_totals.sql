-- One row per account that holds a licence, as of the as-of instant: its best status, how many
-- licences are in which, the next expiry, and its seats.

with

licenses as (

    select * from {{ ref('account_licenses') }}

),

totals as (

    select
        account_id,
        cast(count_if(status = 'Active') as bigint) as active_licenses,
        cast(count_if(status = 'Trial') as bigint) as trial_licenses,
        cast(count_if(status = 'Suspended') as bigint) as suspended_licenses,
        cast(count_if(status = 'Expired') as bigint) as expired_licenses,
        min(expires_on) filter (where status in ('Active', 'Trial')) as expires_on,
        bool_or(is_unlimited) filter (where status in ('Active', 'Trial')) as is_unlimited,
        bool_or(is_unlimited or seats_purchased is null) filter (
            where status in ('Active', 'Trial')
        ) as is_open_ended,
        sum(seats_purchased) filter (where status in ('Active', 'Trial')) as seats_purchased,
        sum(seats_allocated) filter (where status in ('Active', 'Trial')) as seats_allocated,
        sum(seats_assigned) filter (where status in ('Active', 'Trial')) as seats_assigned,
        sum(seats_active) filter (where status in ('Active', 'Trial')) as seats_active

    from licenses

    group by account_id

),

limited as (

    select
        *,
        case when not is_open_ended then seats_purchased end as seats_limit

    from totals

),

final as (

    select
        account_id,
        case
            when active_licenses > 0 then 'Active'
            when trial_licenses > 0 then 'Trial'
            when suspended_licenses > 0 then 'Suspended'
            else 'Expired'
        end as status,
        active_licenses,
        trial_licenses,
        suspended_licenses,
        expired_licenses,
        cast(seats_limit as bigint) as seats_purchased,
        cast(seats_allocated as bigint) as seats_allocated,
        cast(coalesce(seats_assigned, 0) as bigint) as seats_assigned,
        cast(coalesce(seats_active, 0) as bigint) as seats_active,
        cast(seats_assigned / nullif(seats_limit, 0) as double) as license_utilization_ratio,
        cast(seats_active / nullif(seats_limit, 0) as double) as active_seat_ratio,
        cast(expires_on - {{ as_of_day() }} as bigint) as days_to_expiration,
        coalesce(is_unlimited, false) as is_unlimited,
        expires_on

    from limited

)

select * from final
