-- One row per account, user, package and run of days: the licence that the user's use of that
-- package counts under, so that no use counts twice. Of several licences it is the one assigned
-- first; package `(any)` is for use of a package that none of the user's licences is for. A licence
-- licenses nothing before it starts or after it expires.

{{ config(materialized='table') }}

with

seats as (

    select * from {{ ref('int_license_seats_held') }}

),

bounded as (

    select
        account_id,
        user_id,
        package,
        license_id,
        assigned_at,
        greatest(first_day, started_on) as first_day,
        least(last_day, expires_on) as last_day

    from seats

),

candidates as (

    select * from bounded

    where first_day <= last_day

    union all by name

    select * replace ('(any)' as package)

    from bounded

    where first_day <= last_day

),

edges as (

    select
        account_id,
        user_id,
        package,
        first_day as day

    from candidates

    union

    select
        account_id,
        user_id,
        package,
        last_day + 1 as day

    from candidates

),

stretches as (

    select
        account_id,
        user_id,
        package,
        day as first_day,
        lead(day) over (partition by account_id, user_id, package order by day) - 1 as last_day

    from edges

),

final as (

    select
        stretches.account_id,
        stretches.user_id,
        stretches.package,
        stretches.first_day,
        stretches.last_day,
        candidates.license_id

    from stretches

    inner join candidates
        on
            stretches.account_id = candidates.account_id
            and stretches.user_id = candidates.user_id
            and stretches.package = candidates.package
            and stretches.first_day between candidates.first_day and candidates.last_day

    qualify
        row_number() over (
            partition by
                stretches.account_id, stretches.user_id, stretches.package, stretches.first_day
            order by candidates.assigned_at, candidates.license_id
        ) = 1

)

select * from final
