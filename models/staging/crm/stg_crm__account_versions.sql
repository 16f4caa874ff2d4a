-- One row per version of an account that ever landed, also one that was never the latest known
-- (many versions that land together), with the instant from which its attributes hold: when the
-- CRM changed them, else when they were delivered. NULL: nobody says since when.

with

source as (

    select
        *,
        {{ is_told('updated_at') }} as _is_told

    from {{ source('crm', 'accounts') }}

    where created_at < {{ as_of() }} and not _is_deleted

),

renamed as (

    select
        account_id,
        account_name,
        status,
        lifecycle_stage,
        tier,
        region,
        country,
        industry,
        product_line,
        size_band,
        parent_account_id,
        relationship,
        website,
        description,
        employee_count,
        amount_raised,
        social_links,
        contract_value_amount,
        currency,
        time_zone,
        onboarding_started_at,
        coalesce(is_test, false) as is_test,
        _extras as extras,
        {{ counts('account_id') }} as _counts,
        {{ known_from() }} as known_from,
        coalesce(updated_at, _version_at, _known_at) as changed_at,
        row_number() over ({{ version_order('account_id') }}) as version_number

    from source

),

final as (

    select * exclude (_counts) from renamed

    where _counts

)

select * from final
