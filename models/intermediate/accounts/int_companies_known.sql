-- One row per version of a company that was ever the latest known: of an account, or of a lead
-- until an account of the same id is known. Usage of leads counts as that of accounts does (spec
-- 30, "Leads"); what leaves leads out reads is_lead.

{{ config(materialized='table') }}

with

accounts as (

    select * from {{ ref('stg_crm__accounts') }}

),

leads as (

    select * from {{ ref('stg_crm__leads') }}

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

leads_alone as (

    -- An id that is an account's as well is the account's.
    select
        leads.lead_id as account_id,
        leads.lead_name as account_name,
        leads.status,
        leads.created_at,
        leads.updated_at,
        leads.extras,
        leads.known_from,
        leads.deleted_at,
        least(leads.known_until, first_known.known_from) as known_until,
        leads.is_latest and first_known.account_id is null as is_latest

    from leads

    left join first_known on leads.lead_id = first_known.account_id

),

final as (

    select
        *,
        false as is_lead

    from accounts

    union all by name

    select
        *,
        false as is_test,
        true as is_lead

    from leads_alone

    where known_from < known_until

)

select * from final
