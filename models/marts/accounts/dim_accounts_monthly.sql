-- One row per account and local month, from its creation or first subscription to the as-of
-- month: its attributes, status and csm just before the month's end, or before the as-of instant
-- where that is earlier, so that a BI tool needs no range join. Test accounts and those that
-- became part of another one have no rows, as in fct_mrr_monthly.

with

first_months as (

    select * from {{ ref('int_account_first_months') }}

),

versions as (

    select * from {{ ref('int_accounts_versioned') }}

),

statuses as (

    select * from {{ ref('int_account_statuses_dated') }}

),

csms as (

    select * from {{ ref('int_account_csms_dated') }}

),

crm_statuses as (

    select * from {{ ref('account_statuses') }}

),

spine as (

    select
        account_id,
        cast(
            unnest(
                generate_series(
                    first_month, date_trunc('month', {{ as_of_day() }} - 1), interval 1 month
                )
            ) as date
        ) as month

    from first_months

),

bounded as (

    select
        account_id,
        month,
        least({{ first_instant('month + interval 1 month') }}, {{ as_of() }}) as ends_at,
        {{ first_instant('month + interval 1 month') }} > {{ as_of() }} as is_partial

    from spine

),

final as (

    select
        bounded.account_id,
        bounded.month,
        versions.account_name,
        versions.tier,
        versions.region,
        versions.country,
        versions.industry,
        versions.product_line,
        versions.size_band,
        coalesce(statuses.account_status, crm_statuses.account_status, 'lead') as account_status,
        versions.status as crm_status,
        versions.lifecycle_stage,
        csms.csm_id,
        csms.csm_name,
        bounded.ends_at < {{ as_of() }}
        and bounded.ends_at <= coalesce(versions.attributes_known_from, {{ as_of() }})
            as is_history_assumed,
        bounded.is_partial

    from bounded

    asof left join versions
        on
            bounded.account_id = versions.account_id
            and bounded.ends_at > versions.valid_from

    asof left join statuses
        on
            bounded.account_id = statuses.account_id
            and bounded.ends_at > statuses.changed_at

    asof left join csms
        on
            bounded.account_id = csms.account_id
            and bounded.ends_at > csms.changed_at

    left join crm_statuses on lower(versions.status) = crm_statuses.crm_status

)

select * from final
