-- One row per account, module, feature and run of days on which an entitlement lets the account use
-- it: its own, or that of a plan that it has a subscription to. A module without a feature stands
-- for all of its features, a package for all of its modules; what names none of them (a limit)
-- entitles to nothing. Where no entitlement ever landed, everybody may use what anybody ever did
-- (is_landed is false).

{{ config(materialized='table') }}

with

entitlements as (

    select
        *,
        {{ local_day('valid_from') }} as first_day,
        coalesce(
            {{ local_day('least(valid_to, deleted_at)') }} - 1, cast('9999-01-01' as date)
        ) as last_day

    from {{ ref('stg_crm__entitlements') }}

    where is_latest

),

accounts as (

    select * from {{ ref('int_accounts_dated') }}

    where not is_test and merged_day is null

),

owners as (

    select * from {{ ref('int_account_owners') }}

    where is_latest

),

phases as (

    select
        *,
        {{ local_day('starts_at') }} as first_day,
        coalesce({{ local_day('ends_at') }} - 1, cast('9999-01-01' as date)) as last_day

    from {{ ref('int_subscription_phases') }}

    where is_latest and policy = 'standard'

),

modules as (

    select * from {{ ref('int_modules_known') }}

    where module <> '(none)' and is_offered

),

landed as (

    select count(*) > 0 as has_entitlements from entitlements

),

granted as (

    select
        coalesce(owners.owner_id, entitlements.account_id) as account_id,
        entitlements.package,
        entitlements.module,
        entitlements.feature,
        entitlements.first_day,
        entitlements.last_day

    from entitlements

    left join owners on entitlements.account_id = owners.account_id

    where entitlements.account_id is not null

    union all

    select
        phases.account_id,
        entitlements.package,
        entitlements.module,
        entitlements.feature,
        greatest(entitlements.first_day, phases.first_day) as first_day,
        least(entitlements.last_day, phases.last_day) as last_day

    from entitlements

    inner join phases on lower(entitlements.plan) = lower(phases.plan)

    where entitlements.account_id is null

),

named as (

    -- What an entitlement names itself need not be known otherwise.
    select
        account_id,
        module,
        coalesce(feature, '(none)') as feature,
        first_day,
        last_day,
        true as is_landed

    from granted

    where module is not null

    union

    select
        granted.account_id,
        modules.module,
        modules.feature,
        granted.first_day,
        granted.last_day,
        true as is_landed

    from granted

    inner join modules
        on
            coalesce(granted.module, granted.feature, granted.package) is not null
            and modules.module = coalesce(granted.module, modules.module)
            and modules.feature = coalesce(granted.feature, modules.feature)
            and (
                granted.module is not null
                or modules.package = coalesce(granted.package, modules.package)
            )

    union

    select
        accounts.account_id,
        modules.module,
        modules.feature,
        cast('1900-01-01' as date) as first_day,
        cast('9999-01-01' as date) as last_day,
        false as is_landed

    from accounts

    cross join modules

    inner join landed on not landed.has_entitlements

    where modules.first_seen_on is not null

),

final as (

    select
        named.account_id,
        named.module,
        named.feature,
        named.first_day,
        named.last_day,
        named.is_landed

    from named

    inner join accounts on named.account_id = accounts.account_id

    where named.first_day <= named.last_day

)

select * from final
