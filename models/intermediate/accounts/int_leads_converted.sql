-- One row per lead that became an account: which one, since when, and from when that is known. Not
-- before the end of that day, nor before the account itself is known. Without an instant it was
-- when the lead last changed. An id that is an account's, or that a merge names, is followed as
-- that.

with

versions as (

    select * from {{ ref('stg_crm__leads') }}

),

accounts as (

    select * from {{ ref('stg_crm__accounts') }}

),

account_merges as (

    select * from {{ ref('stg_crm__account_merges') }}

    where is_latest and deleted_at is null

),

first_known as (

    select
        account_id,
        min(
            greatest(known_from, {{ first_instant(local_day('created_at') ~ ' + 1') }})
        ) as known_from

    from accounts

    group by account_id

),

converted as (

    select
        lead_id,
        converted_account_id,
        coalesce(converted_at, updated_at, created_at) as converted_at

    from versions

    where
        is_latest
        and converted_account_id is not null
        and coalesce(converted_at, updated_at, created_at) < {{ as_of() }}

),

told as (

    select
        converted.lead_id,
        converted.converted_account_id,
        converted.converted_at,
        min(versions.known_from) as known_from

    from converted

    inner join versions
        on
            converted.lead_id = versions.lead_id
            and converted.converted_account_id = versions.converted_account_id

    group by converted.lead_id, converted.converted_account_id, converted.converted_at

),

final as (

    select
        told.lead_id,
        told.converted_account_id as account_id,
        told.converted_at,
        greatest(
            told.known_from,
            {{ first_instant(local_day('told.converted_at') ~ ' + 1') }},
            first_known.known_from
        ) as known_from

    from told

    left join first_known on told.converted_account_id = first_known.account_id

    left join first_known as own on told.lead_id = own.account_id

    left join account_merges on told.lead_id = account_merges.from_account_id

    where own.account_id is null and account_merges.from_account_id is null

)

select * from final
