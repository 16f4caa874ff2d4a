-- One row per version of an account that was ever the latest known.

with

source as (

    select
        *,
        {{ is_told('updated_at') }} as _is_told

    from {{ source('crm', 'accounts') }}

    where created_at < {{ as_of() }} or _is_deleted

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
        employee_count,
        website,
        description,
        amount_raised,
        social_links,
        parent_account_id,
        relationship,
        created_at,
        {{ happened('onboarding_started_at') }} as onboarding_started_at,
        contract_value_amount,
        currency,
        time_zone,
        coalesce(is_test, false) as is_test,
        updated_at,
        _extras as extras,
        _is_deleted,
        {{ counts('account_id') }} as _counts,
        {{ known_from() }} as known_from,
        {{ known_until('account_id') }} as known_until,
        {{ deleted_at('account_id') }} as deleted_at

    from source

),

final as (

    select
        * exclude (_is_deleted, _counts),
        known_until = cast('9999-12-31' as timestamp with time zone) as is_latest

    from renamed

    where _counts and not _is_deleted and known_from < known_until

)

select * from final
