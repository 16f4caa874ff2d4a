-- One row per account and time in which its attributes held: from the version's change to the
-- change of the one that replaced it (exclusive). The first one stands for all time before it
-- too; attributes_known_from is then later than valid_from, and NULL where nobody says since
-- when.

{{ config(materialized='table') }}

with

versions as (

    select * from {{ ref('stg_crm__account_versions') }}

),

dated as (

    -- A later version that says an earlier date replaces what stands in between. What is delivered
    -- again and reads the same is known since it was delivered first.
    select
        * exclude (known_from),
        min(known_from) over (
            partition by
                account_id,
                changed_at,
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
                is_test,
                extras
        ) as known_from,
        case
            when changed_at is null then {{ since_ever() }}
            -- A first version holds, whatever time to come it is said to be of.
            when changed_at >= {{ as_of() }} then {{ as_of() }}
            else changed_at
        end as holds_from

    from versions

    where changed_at is null or changed_at < {{ as_of() }} or version_number = 1

),

replaced as (

    select
        *,
        coalesce(
            min(holds_from) over (
                partition by account_id
                order by version_number
                rows between 1 following and unbounded following
            ),
            cast('9999-12-31' as timestamp with time zone)
        ) as valid_until

    from dated

),

final as (

    select
        * exclude (version_number, changed_at, holds_from),
        changed_at as attributes_known_from,
        case
            when
                row_number() over (partition by account_id order by holds_from, version_number) = 1
                then {{ since_ever() }}
            else holds_from
        end as valid_from

    from replaced

    where holds_from < valid_until

)

select * from final
