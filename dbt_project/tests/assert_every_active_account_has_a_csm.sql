-- Spec 40, `portfolio_weekly`: active accounts that nobody looks after are a row and a warning.
{{ config(severity='warn') }}

with

portfolios as (

    select * from {{ ref('portfolio_weekly') }}

)

select
    week,
    tier,
    region,
    accounts,
    arr

from portfolios

where csm_id = '(none)' and is_latest_week
