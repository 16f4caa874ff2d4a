-- Months, quarters and years hold the same interactions, which are those of the features; a year's
-- users are at most the sum of its months', and at least the most of any month.
with

yearly as (

    select
        account_id,
        sum(interactions) as interactions,
        sum(active_users) as active_users

    from {{ ref('account_usage_yearly') }}

    group by account_id

),

quarterly as (

    select
        account_id,
        sum(interactions) as interactions,
        sum(active_users) as active_users

    from {{ ref('account_usage_quarterly') }}

    group by account_id

),

monthly as (

    select
        account_id,
        sum(interactions) as interactions,
        sum(active_users) as active_users,
        max(active_users) as most_users

    from {{ ref('account_usage_monthly') }}

    group by account_id

),

by_feature as (

    select
        account_id,
        sum(interactions) as interactions

    from {{ ref('usage_monthly') }}

    group by account_id

)

select
    monthly.account_id,
    monthly.interactions as months,
    quarterly.interactions as quarters,
    yearly.interactions as years,
    by_feature.interactions as features,
    monthly.active_users as month_users,
    quarterly.active_users as quarter_users,
    yearly.active_users as year_users

from monthly

inner join quarterly on monthly.account_id = quarterly.account_id

inner join yearly on monthly.account_id = yearly.account_id

left join by_feature on monthly.account_id = by_feature.account_id

where
    monthly.interactions <> quarterly.interactions
    or monthly.interactions <> yearly.interactions
    or monthly.interactions <> coalesce(by_feature.interactions, 0)
    or monthly.active_users < quarterly.active_users
    or quarterly.active_users < yearly.active_users
    or yearly.active_users < monthly.most_users
