-- One row per account with days: the day from which its restated daily metrics are made anew. It
-- begins the first month whose content is another one than they were made of, and at the latest
-- that of the first day that no release has shown: what is as known of it may still change.

{{ config(materialized='table') }}

with

activity as (

    select * from {{ ref('fct_account_activity_daily') }}

),

months as (

    select * from {{ ref('int_metric_months') }}

),

months_before as (

    select * from {{ ref('stg_rollups__metric_months') }}

),

recorded as (

    select * from {{ ref('stg_history__account_metrics_daily') }}

),

unshown as (

    select
        cast(
            date_trunc('month', coalesce(max(day) + 1, cast('1900-01-01' as date))) as date
        ) as month

    from recorded

),

accounts as (

    select distinct account_id from activity

),

changed as (

    select
        coalesce(months.account_id, months_before.account_id) as account_id,
        min(coalesce(months.month, months_before.month)) as month

    from months

    full outer join months_before
        on
            months.account_id = months_before.account_id
            and months.month = months_before.month

    where months.content is distinct from months_before.content

    group by coalesce(months.account_id, months_before.account_id)

),

final as (

    select
        accounts.account_id,
        least(changed.month, unshown.month) as due_from

    from accounts

    cross join unshown

    left join changed on accounts.account_id = changed.account_id

)

select * from final
