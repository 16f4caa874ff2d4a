-- One row per account that landed, and per lead that has not become one, with its state at the
-- as-of instant. The status comes from the subscriptions in force; the CRM's own word decides only
-- where there are none (spec 00, "Words"). A lead's is lead.

with

accounts as (

    select * from {{ ref('int_accounts_dated') }}

    where merged_day is null

),

owners as (

    select * from {{ ref('int_account_owners') }}

    where is_latest

),

conversions as (

    select * from {{ ref('int_leads_converted') }}

),

phases as (

    select * from {{ ref('int_subscription_phases') }}

),

csms as (

    select * from {{ ref('int_account_csms') }}

),

crm_statuses as (

    select * from {{ ref('account_statuses') }}

),

in_force as (

    select
        *,
        starts_at <= {{ as_of() }}
        and (ends_at is null or ends_at > {{ as_of() }}) as is_in_force

    from phases

    where is_latest and policy = 'standard'

),

subscribed as (

    select
        account_id,
        bool_or(phase = 'paid' and is_in_force and state = 'past_due')
            as is_past_due,
        bool_or(phase = 'paid' and is_in_force) as is_customer,
        bool_or(phase = 'trial' and is_in_force) as is_trial,
        bool_or(phase = 'paid' and starts_at <= {{ as_of() }}) as was_customer

    from in_force

    group by account_id

),

converted as (

    -- Of several leads that the account holds now, the first one that was converted.
    select
        owners.owner_id as account_id,
        arg_min(
            conversions.lead_id,
            struct_pack(at := conversions.converted_at, lead_id := conversions.lead_id)
        ) as lead_id

    from conversions

    inner join owners on conversions.lead_id = owners.account_id

    group by owners.owner_id

),

firmographics as (

    select
        account_id,
        website is not null
        or description is not null
        or employee_count is not null
        or amount_raised is not null
        or social_links is not null as is_told

    from accounts

),

final as (

    select
        accounts.account_id,
        accounts.account_name,
        case
            when accounts.is_lead then 'lead'
            when subscribed.is_past_due then 'past_due'
            when subscribed.is_customer then 'customer'
            when subscribed.is_trial then 'trial'
            when subscribed.was_customer then 'churned'
            else coalesce(crm_statuses.account_status, 'lead')
        end as status,
        accounts.status as crm_status,
        accounts.lifecycle_stage,
        accounts.tier,
        accounts.region,
        accounts.country,
        accounts.industry,
        accounts.product_line,
        accounts.size_band,
        nullif(coalesce(owners.owner_id, accounts.parent_account_id), accounts.account_id)
            as parent_account_id,
        accounts.relationship,
        converted.lead_id as converted_from_lead_id,
        csms.csm_id,
        csms.csm_name,
        accounts.website,
        accounts.description,
        cast(accounts.employee_count as bigint) as employee_count,
        accounts.amount_raised,
        accounts.social_links,
        case when firmographics.is_told then 'crm' end as firmographics_source,
        case
            when firmographics.is_told
                then {{ local_day('coalesce(accounts.updated_at, accounts.known_from)') }}
        end as firmographics_on,
        accounts.contract_value_amount,
        accounts.currency,
        accounts.time_zone,
        accounts.extras as custom_attributes,
        accounts.is_lead,
        accounts.is_test,
        accounts.deleted_at is not null as is_deleted,
        accounts.created_on,
        accounts.created_at,
        accounts.onboarding_started_at

    from accounts

    inner join firmographics on accounts.account_id = firmographics.account_id

    left join subscribed on accounts.account_id = subscribed.account_id

    left join converted on accounts.account_id = converted.account_id

    left join csms on accounts.account_id = csms.account_id

    left join owners on accounts.parent_account_id = owners.account_id

    left join crm_statuses on lower(accounts.status) = crm_statuses.crm_status

)

select * from final
