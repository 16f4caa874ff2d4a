-- One row per account and stretch of time in which its attributes were the same: those of
-- dim_accounts, from its first day on, without gaps. As the facts date themselves, and as they are
-- known now; known_from says since when. What changes at the as-of instant itself begins a row
-- there, as dim_accounts shows it.

with

accounts as (

    select * from {{ ref('int_accounts_dated') }}

    where merged_day is null

),

companies as (

    select * from {{ ref('int_companies_known') }}

),

account_versions as (

    select * from {{ ref('int_accounts_versioned') }}

),

statuses_dated as (

    select * from {{ ref('int_account_statuses_dated') }}

),

csms_dated as (

    select * from {{ ref('int_account_csms_dated') }}

),

dim_accounts as (

    select * from {{ ref('dim_accounts') }}

),

owners as (

    select * from {{ ref('int_account_owners') }}

    where is_latest

),

crm_statuses as (

    select * from {{ ref('account_statuses') }}

),

versions as (

    select * exclude (valid_until) from account_versions

    union all by name

    -- A lead's words hold from when they were known, the first ones for all time before.
    select
        companies.account_id,
        companies.account_name,
        companies.status,
        companies.is_test,
        companies.extras,
        companies.known_from,
        coalesce(companies.updated_at, companies.created_at) as attributes_known_from,
        case
            when
                row_number() over (
                    partition by companies.account_id order by companies.known_from
                ) = 1
                then {{ since_ever() }}
            else companies.known_from
        end as valid_from

    from companies

    inner join accounts on companies.account_id = accounts.account_id and accounts.is_lead

    where companies.is_lead

),

statuses as (

    select
        account_id,
        changed_at,
        account_status
    from statuses_dated
    where changed_at < {{ as_of() }}
    union all
    select
        account_id,
        {{ as_of() }} as changed_at,
        status as account_status
    from dim_accounts

),

csms as (

    select
        account_id,
        changed_at,
        csm_id,
        csm_name
    from csms_dated
    where changed_at < {{ as_of() }}
    union all
    select
        account_id,
        {{ as_of() }} as changed_at,
        csm_id,
        csm_name
    from dim_accounts

),

existence as (

    -- When a full extract no longer had the account, and when one had it again.
    select
        account_id,
        known_from,
        {{ first_instant(known_day('known_from')) }} as changed_at,
        false as is_deleted
    from companies
    union all
    select
        account_id,
        known_from,
        deleted_at as changed_at,
        true as is_deleted
    from companies
    where deleted_at is not null

),

deletions as (

    select
        account_id,
        changed_at,
        is_deleted

    from existence

    -- Of one day the last word counts.
    qualify
        row_number() over (
            partition by account_id, changed_at order by known_from desc, is_deleted desc
        ) = 1

),

turns as (

    select
        account_id,
        {{ first_instant('first_day') }} as valid_from
    from accounts
    union
    select
        account_id,
        valid_from
    from versions
    union
    select
        account_id,
        attributes_known_from as valid_from
    from versions
    union
    select
        account_id,
        changed_at as valid_from
    from statuses
    union
    select
        account_id,
        changed_at as valid_from
    from csms
    union
    select
        account_id,
        changed_at as valid_from
    from deletions

),

stretches as (

    select
        turns.account_id,
        turns.valid_from,
        accounts.is_lead

    from turns

    inner join accounts
        on
            turns.account_id = accounts.account_id
            and turns.valid_from >= {{ first_instant('accounts.first_day') }}

    where turns.valid_from <= {{ as_of() }}

),

attributed as (

    select
        stretches.account_id,
        stretches.valid_from,
        greatest(stretches.valid_from, versions.known_from) as known_from,
        struct_pack(
            account_name := versions.account_name,
            status := case
                when stretches.is_lead then 'lead'
                else coalesce(statuses.account_status, crm_statuses.account_status, 'lead')
            end,
            crm_status := versions.status,
            lifecycle_stage := versions.lifecycle_stage,
            tier := versions.tier,
            region := versions.region,
            country := versions.country,
            industry := versions.industry,
            product_line := versions.product_line,
            size_band := versions.size_band,
            parent_account_id := nullif(
                coalesce(owners.owner_id, versions.parent_account_id), stretches.account_id
            ),
            relationship := versions.relationship,
            csm_id := csms.csm_id,
            csm_name := csms.csm_name,
            website := versions.website,
            description := versions.description,
            employee_count := cast(versions.employee_count as bigint),
            amount_raised := versions.amount_raised,
            social_links := versions.social_links,
            contract_value_amount := versions.contract_value_amount,
            currency := versions.currency,
            time_zone := versions.time_zone,
            custom_attributes := versions.extras,
            is_lead := stretches.is_lead,
            is_test := versions.is_test,
            is_deleted := coalesce(deletions.is_deleted, false),
            is_history_assumed := coalesce(
                stretches.valid_from < versions.attributes_known_from, true
            ),
            onboarding_started_at := versions.onboarding_started_at
        ) as attributes

    from stretches

    asof left join versions
        on
            stretches.account_id = versions.account_id
            and stretches.valid_from >= versions.valid_from

    asof left join statuses
        on
            stretches.account_id = statuses.account_id
            and stretches.valid_from >= statuses.changed_at

    asof left join csms
        on
            stretches.account_id = csms.account_id
            and stretches.valid_from >= csms.changed_at

    asof left join deletions
        on
            stretches.account_id = deletions.account_id
            and stretches.valid_from >= deletions.changed_at

    left join owners on versions.parent_account_id = owners.account_id

    left join crm_statuses on lower(versions.status) = crm_statuses.crm_status

),

changed as (

    -- A turn at which nothing changes begins no row.
    select * from attributed

    qualify
        attributes is distinct from lag(attributes) over (
            partition by account_id order by valid_from
        )

),

bounded as (

    select
        *,
        lead(valid_from) over (partition by account_id order by valid_from) as valid_to

    from changed

),

final as (

    select
        bounded.account_id,
        attributes.*,
        bounded.valid_to is null as is_current,
        {{ local_day('bounded.valid_from') }} as first_on,
        {{ local_day('bounded.valid_to') }} - 1 as last_on,
        bounded.valid_from,
        bounded.valid_to,
        bounded.known_from

    from bounded

)

select * from final
