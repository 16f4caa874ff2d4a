-- One row per account, user, package, module, feature and full local day with an event that is
-- published anew, with the licence that it counts under: of those that the user holds at the day's
-- end the first assigned one of that package, else the first assigned one, else `(unassigned)`.
-- Where no source sends logins, sessions stand for them.

{{ config(tags=['rollup']) }}

with

feature_days as (

    select * from {{ ref('int_actor_feature_days') }}

    where user_id is not null and day < {{ as_of_day() }}

),

accounts as (

    select * from {{ ref('int_accounts_dated') }}

    where merged_day is null

),

published as (

    select * from {{ ref('int_usage_days_published') }}

),

licenses as (

    select * from {{ ref('int_user_licenses_chosen') }}

),

login_source as (

    select * from {{ ref('int_login_source') }}

),

final as (

    select
        feature_days.* exclude (login_count),
        case
            when login_source.has_logins then feature_days.login_count
            else feature_days.session_count
        end as login_count,
        coalesce(
            package_licenses.license_id, any_licenses.license_id, '(unassigned)'
        ) as license_id

    from feature_days

    inner join published
        on feature_days.account_id = published.account_id and feature_days.day = published.day

    inner join accounts on feature_days.account_id = accounts.account_id

    cross join login_source

    left join licenses as package_licenses
        on
            feature_days.account_id = package_licenses.account_id
            and feature_days.user_id = package_licenses.user_id
            and feature_days.package = package_licenses.package
            and feature_days.day between package_licenses.first_day and package_licenses.last_day

    left join licenses as any_licenses
        on
            feature_days.account_id = any_licenses.account_id
            and feature_days.user_id = any_licenses.user_id
            and any_licenses.package = '(any)'
            and feature_days.day between any_licenses.first_day and any_licenses.last_day

)

select * from final
