-- One row per licence, user and unbroken run of days at whose end the user holds a seat of it. A
-- seat that is taken back on a day is not held at its end, so that a seat that changes hands counts
-- once. What is held still ends on 1 January 9999.

{{ config(materialized='table', tags=['kept']) }}

with

assignments as (

    select * from {{ ref('stg_crm__license_assignments') }}

    where is_latest

),

licenses as (

    select * from {{ ref('int_licenses_dated') }}

),

spans as (

    select
        licenses.account_id,
        licenses.package,
        licenses.license_id,
        licenses.started_on,
        licenses.expires_on,
        assignments.user_id,
        assignments.assigned_at,
        {{ local_day('assignments.assigned_at') }} as first_day,
        coalesce(
            {{ local_day('least(assignments.unassigned_at, assignments.deleted_at)') }} - 1,
            cast('9999-01-01' as date)
        ) as last_day

    from assignments

    inner join licenses on assignments.license_id = licenses.license_id

),

reached as (

    select
        *,
        max(last_day) over (
            partition by license_id, user_id
            order by first_day, last_day, assigned_at
            rows between unbounded preceding and 1 preceding
        ) as reached_day

    from spans

    where first_day <= last_day

),

numbered as (

    select
        *,
        sum(case when first_day <= reached_day + 1 then 0 else 1 end) over (
            partition by license_id, user_id
            order by first_day, last_day, assigned_at, reached_day nulls first
            rows unbounded preceding
        ) as span_number

    from reached

),

final as (

    select
        account_id,
        package,
        license_id,
        started_on,
        expires_on,
        user_id,
        min(assigned_at) as assigned_at,
        min(first_day) as first_day,
        max(last_day) as last_day

    from numbered

    group by account_id, package, license_id, started_on, expires_on, user_id, span_number

)

select * from final
