-- Active seats are assigned ones, as of the as-of instant and on every day.
select
    account_licenses.account_id,
    account_licenses.license_id,
    account_licenses.seats_assigned,
    account_licenses.seats_active

from {{ ref('account_licenses') }} as account_licenses

where account_licenses.seats_active > account_licenses.seats_assigned

union all

select
    daily.account_id,
    daily.license_id,
    daily.seats_assigned,
    daily.seats_active

from {{ ref('fct_licenses_daily') }} as daily

where daily.seats_active > daily.seats_assigned or daily.seats_active < 0
