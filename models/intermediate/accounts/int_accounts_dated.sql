-- One row per account or lead that landed: its latest version, the first daily row that may know
-- it, and its first day, the earlier of its creation and its first dated row (spec 00, "account
-- day"). An account that became part of another one, as a lead that became one, has days up to
-- merged_day (exclusive), as they were shown; what is told anew is told of the survivor alone.

{{ config(materialized='table') }}

with

versions as (

    select * from {{ ref('int_companies_known') }}

),

account_first_days as (

    select * from {{ ref('int_account_first_days') }}

),

owners as (

    select * from {{ ref('int_account_owners') }}

),

first_days as (

    select
        account_id,
        min(first_day) as first_day

    from account_first_days

    group by account_id

),

known as (

    -- What nobody told us late is known when it happened: on the day of the account's creation.
    select
        account_id,
        min(greatest({{ local_day('created_at') }}, {{ known_day('known_from') }})) as known_day

    from versions

    group by account_id

),

final as (

    select
        versions.*,
        first_days.first_day,
        {{ local_day('versions.created_at') }} as created_on,
        known.known_day,
        {{ known_day('owners.known_until') }} as merged_day

    from versions

    inner join first_days on versions.account_id = first_days.account_id

    inner join known on versions.account_id = known.account_id

    left join owners
        on versions.account_id = owners.account_id and versions.account_id = owners.owner_id

    where versions.is_latest

)

select * from final
