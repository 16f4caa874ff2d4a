-- One row per account per local day, as known at the day's end: written by the first audited
-- release past that day and never changed (spec 40). Health, rules and replay read it.

with

recorded as (

    select * from {{ ref('stg_history__account_metrics_daily') }}

),

measured as (

    select * from {{ ref('int_account_metrics_measured') }}

    where basis = 'as_known'

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
