-- One row per account, local day, metric and scope that the health seeds name, as known at the
-- day's end: written by the first audited release past that day and never changed.

with

recorded as (

    select * from {{ ref('stg_history__account_scoped_metrics_daily') }}

),

measured as (

    select * from {{ ref('int_scoped_metrics_measured') }}

),

final as (

    select
        account_id,
        day,
        metric,
        scope,
        value

    from measured

    union all

    select
        account_id,
        day,
        metric,
        scope,
        value

    from recorded

)

select * from final
