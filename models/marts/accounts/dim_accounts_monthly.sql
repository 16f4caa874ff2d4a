-- One row per account and local month, from its creation or first subscription to the as-of
-- month: its attributes, status and csm just before the month's end, or before the as-of instant
-- where that is earlier, so that a BI tool needs no range join. Test accounts, leads and those
-- that became part of another one have no rows, as in fct_mrr_monthly.

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

turns as (

    -- The months in which something about the account changes; the first one is one of them.
    select
        account_id,
        first_month as month
    from first_months
    union
    select
        account_id,
        {{ local_month('valid_from') }} as month
    from versions
    where valid_from < {{ as_of() }}
    union
    select
        account_id,
        {{ local_month('changed_at') }} as month
    from statuses
    where changed_at < {{ as_of() }}
    union
    select
        account_id,
        {{ local_month('changed_at') }} as month
    from csms
    where changed_at < {{ as_of() }}

),

bounded as (

    select
        turns.account_id,
        turns.month as turned_month,
        coalesce(
            lead(turns.month) over (partition by turns.account_id order by turns.month),
            date_trunc('month', {{ as_of_day() }} - 1) + interval 1 month
        ) as next_month,
        least({{ month_instant('turns.month + interval 1 month') }}, {{ as_of() }}) as ends_at

    from turns

    inner join first_months
        on turns.account_id = first_months.account_id and turns.month >= first_months.first_month

),

attributed as (

    select
        bounded.account_id,
        cast(
            unnest(range(bounded.turned_month, bounded.next_month, interval 1 month)) as date
        ) as month,
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
        coalesce(versions.attributes_known_from, {{ as_of() }}) as attributes_known_from

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

),

final as (

    -- Until the next turn every month is like the one before it.
    select
        * exclude (attributes_known_from),
        {{ month_instant('month + interval 1 month') }} < {{ as_of() }}
        and {{ month_instant('month + interval 1 month') }} <= attributes_known_from
            as is_history_assumed,
        {{ month_instant('month + interval 1 month') }} > {{ as_of() }} as is_partial

    from attributed

)

select * from final
