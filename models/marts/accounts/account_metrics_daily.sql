-- One row per account per local day, as known at the day's end: written by the first audited
-- release past that day and never changed (spec 40). Health, rules and replay read it. Days that
-- were shown stay from run to run.

-- depends_on: {{ ref('int_accounts_due') }}, {{ ref('int_accounts_dated') }}

{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='append_new_columns',
    full_refresh=false,
    meta={'in_shares': true},
    pre_hook=[
        "{{ forget_unshown(ref('stg_history__account_metrics_daily')) }}",
        "{{ share_out(ref('int_accounts_due'), ref('int_accounts_dated')) }}",
    ],
) }}

with

recorded as (

    select * from {{ ref('stg_history__account_metrics_daily') }}

    where {{ not_kept() }} and {{ in_share('account_id') }}

),

measured as (

    select * from {{ ref('int_account_metrics_measured') }}

    where basis = 'as_known' and {{ in_share('account_id') }}

),

final as (

    -- By name, so that a metric that is new stands as NULL in the days before it.
    select * exclude (basis)
    from measured
    union all by name
    select *
    from recorded

)

select * from final
