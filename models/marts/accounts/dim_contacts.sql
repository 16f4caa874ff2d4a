-- One row per contact of an account that is no test one, as the CRM knows them at the as-of
-- instant: a person at a customer. A product user with the same e-mail address in the same account,
-- whatever its case, is the same person.

with

contacts as (

    select * from {{ ref('stg_crm__contacts') }}

    where is_latest and (deleted_at is null or deleted_at >= {{ as_of() }})

),

accounts as (

    select * from {{ ref('int_accounts_named') }}

),

users as (

    select * from {{ ref('int_users_linked') }}

    where is_last_told and not is_internal

),

consents as (

    select * from {{ ref('stg_crm__consents') }}

    where
        is_latest
        and (deleted_at is null or deleted_at >= {{ as_of() }})
        and lower(purpose) = 'email_marketing'

),

addressed as (

    select
        contacts.contact_id,
        accounts.account_id,
        contacts.full_name,
        contacts.email,
        contacts.phone,
        contacts.title,
        contacts.department,
        contacts.key_role,
        contacts.contact_source,
        contacts.created_at,
        nullif(lower(trim(contacts.email)), '') as address

    from contacts

    inner join accounts on contacts.account_id = accounts.named_id

),

known_users as (

    select
        addressed.contact_id,
        users.user_id

    from addressed

    inner join users
        on
            addressed.account_id = users.account_id
            and addressed.address = lower(trim(users.email))

),

first_users as (

    select
        contact_id,
        min(user_id) as user_id

    from known_users

    group by contact_id

),

subjects as (

    -- A consent names a person by e-mail address or by user id.
    select
        contact_id,
        address as subject
    from addressed
    where address is not null
    union
    select
        contact_id,
        lower(user_id) as subject
    from known_users

),

consented as (

    -- The latest word holds; of two at one instant, the withdrawal.
    select
        subjects.contact_id,
        max_by(
            case when consents.withdrawn_at is null then 'granted' else 'withdrawn' end,
            struct_pack(
                at := coalesce(consents.withdrawn_at, consents.granted_at),
                is_withdrawn := consents.withdrawn_at is not null
            )
        ) as consent,
        max(coalesce(consents.withdrawn_at, consents.granted_at)) as told_at

    from subjects

    inner join consents on subjects.subject = lower(trim(consents.subject))

    group by subjects.contact_id

),

final as (

    select
        addressed.contact_id,
        addressed.account_id,
        addressed.full_name,
        addressed.email,
        addressed.phone,
        coalesce(consented.consent, 'unknown') as email_marketing_consent,
        addressed.title,
        addressed.department,
        regexp_replace(lower(trim(addressed.key_role)), '[ -]+', '_', 'g') as key_role,
        addressed.contact_source as source,
        first_users.user_id,
        first_users.contact_id is not null as is_product_user,
        {{ local_day('addressed.created_at') }} as created_on,
        addressed.created_at,
        consented.told_at as email_marketing_consent_at

    from addressed

    left join first_users on addressed.contact_id = first_users.contact_id

    left join consented on addressed.contact_id = consented.contact_id

)

select * from final
