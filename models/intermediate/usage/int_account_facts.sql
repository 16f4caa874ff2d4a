-- One row per account and thing besides use that decides about its daily usage rows, with the first
-- day that it decides about: the account's own dates, since when and until when its users are
-- registered, now and as known, its licences and who holds a seat of them.

{{ config(materialized='table') }}

with

accounts as (

    select * from {{ ref('int_accounts_dated') }}

    where not is_test

),

users as (

    select
        *,
        {{ local_day('created_at') }} as created_on,
        {{ local_day('least(deactivated_at, deleted_at)') }} as deactivated_on,
        {{ known_day('known_from') }} as known_day,
        {{ known_day('known_until') }} as replaced_day

    from {{ ref('int_users_linked') }}

    where not is_internal

),

licenses as (

    select * from {{ ref('int_licenses_dated') }}

),

seats as (

    select * from {{ ref('int_license_seats_held') }}

),

facts as (

    select
        account_id,
        cast(row('account', first_day, created_on, known_day, merged_day) as varchar) as fact,
        cast('1900-01-01' as date) as first_day

    from accounts

    union all

    select
        account_id,
        cast(
            row('registered', user_id, is_latest, is_last_told, created_on, deactivated_on)
            as varchar
        ) as fact,
        least(created_on, deactivated_on) as first_day

    from users

    where is_latest or is_last_told

    union all

    select
        account_id,
        cast(row('known', user_id, known_day, created_on, deactivated_on) as varchar) as fact,
        known_day as first_day

    from users

    union all

    select
        account_id,
        cast(row('replaced', user_id, replaced_day, created_on, deactivated_on) as varchar) as fact,
        replaced_day as first_day

    from users

    union all

    select
        account_id,
        cast(
            row(
                'license', license_id, package, is_trial, is_unlimited, seats_purchased,
                seats_allocated, started_on, suspended_on, expires_on
            ) as varchar
        ) as fact,
        started_on as first_day

    from licenses

    union all

    -- A day before what the source last said of a licence is flagged.
    select
        account_id,
        cast(row('told', license_id, updated_at) as varchar) as fact,
        {{ local_day('updated_at') }} - 1 as first_day

    from licenses

    union all

    select
        account_id,
        cast(row('held', license_id, user_id, first_day) as varchar) as fact,
        first_day

    from seats

    union all

    select
        account_id,
        cast(row('given back', license_id, user_id, last_day) as varchar) as fact,
        last_day + 1 as first_day

    from seats

),

final as (

    select distinct
        account_id,
        fact,
        first_day

    from facts

    where first_day is not null

)

select * from final
