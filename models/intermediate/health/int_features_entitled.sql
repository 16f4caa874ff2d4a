-- One row per account and local day on which one of two numbers changes: the features that the
-- account may use, and those of them that it used in the 30 days that end with the day, as known at
-- the day's end. Each number holds until the next row; days that were shown lie before the first.
-- What entitles to what is int_entitlements_dated's rule; here it is asked day by day, and a
-- feature outside the catalogue exists from the first day on which a use of it was known.

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

),

accounts as (

    select * from {{ ref('int_accounts_dated') }}

),

owners as (

    select * from {{ ref('int_account_owners') }}

),

phases as (

    select
        *,
        {{ local_day('starts_at') }} as first_day,
        coalesce({{ local_day('ends_at') }} - 1, cast('9999-01-01' as date)) as last_day

    from {{ ref('int_subscription_phases') }}

    where policy = 'standard'

),

modules as (

    select * from {{ ref('int_modules_known') }}

    where module <> '(none)' and feature <> '(none)'

),

use_days as (

    select * from {{ ref('int_use_days') }}

    where module <> '(none)' and feature <> '(none)' and use_count > 0

),

recorded as (

    select * from {{ ref('stg_history__account_kpis_daily') }}

),

asked_from as (

    select coalesce(max(day) + 1, cast('1900-01-01' as date)) as first_day from recorded

),

landed as (

    select
        coalesce(
            min(greatest(first_day, {{ known_day('known_from') }})), cast('9999-01-01' as date)
        ) as first_day

    from entitlements

),

first_uses as (

    select
        module,
        feature,
        min(first_day) as first_day

    from use_days

    group by module, feature

),

features as (

    select
        modules.package,
        modules.module,
        modules.feature,
        first_uses.first_day as used_from,
        case
            when modules.is_in_catalogue and modules.is_offered then cast('1900-01-01' as date)
            else first_uses.first_day
        end as first_day

    from modules

    left join first_uses
        on modules.module = first_uses.module and modules.feature = first_uses.feature

),

told as (

    select
        entitlements.package,
        entitlements.module,
        entitlements.feature,
        entitlements.first_day,
        entitlements.last_day,
        {{ under_owner('entitlements') }}

    from entitlements

    left join owners on entitlements.account_id = owners.account_id

    where entitlements.account_id is not null and ({{ is_told_under_owner('entitlements') }})

    union all by name

    select
        phases.account_id,
        entitlements.package,
        entitlements.module,
        entitlements.feature,
        greatest(entitlements.first_day, phases.first_day) as first_day,
        least(entitlements.last_day, phases.last_day) as last_day,
        greatest(entitlements.known_from, phases.known_from) as known_from,
        least(entitlements.known_until, phases.known_until) as known_until,
        entitlements.is_latest and phases.is_latest as is_latest

    from entitlements

    inner join phases
        on
            lower(entitlements.plan) = lower(phases.plan)
            and entitlements.known_from < phases.known_until
            and entitlements.known_until > phases.known_from

    where entitlements.account_id is null

),

granted as (

    select
        account_id,
        package,
        module,
        feature,
        greatest(first_day, {{ known_day('known_from') }}) as first_day,
        least(last_day, {{ known_day('known_until') }} - 1) as last_day

    from told

    where coalesce(package, module, feature) is not null

),

named as (

    -- What an entitlement names itself need not be known otherwise; where none has landed,
    -- everybody may use what anybody ever did.
    select
        account_id,
        module,
        feature,
        first_day,
        last_day

    from granted

    where module is not null and feature is not null

    union all

    select
        granted.account_id,
        features.module,
        features.feature,
        greatest(granted.first_day, features.first_day) as first_day,
        granted.last_day

    from granted

    inner join features
        on
            features.first_day is not null
            and features.module = coalesce(granted.module, features.module)
            and features.feature = coalesce(granted.feature, features.feature)
            and (
                granted.module is not null
                or features.package = coalesce(granted.package, features.package)
            )

    union all

    select
        accounts.account_id,
        features.module,
        features.feature,
        features.used_from as first_day,
        landed.first_day - 1 as last_day

    from accounts

    cross join features

    cross join landed

    where features.used_from is not null

),

asked as (

    select
        'entitled' as figure,
        named.account_id,
        named.module,
        named.feature,
        greatest(named.first_day, asked_from.first_day) as first_day,
        named.last_day

    from named

    inner join asked_from on named.last_day >= asked_from.first_day

    where named.first_day <= named.last_day and named.first_day < {{ as_of_day() }}

    union all

    select
        'used' as figure,
        use_days.account_id,
        use_days.module,
        use_days.feature,
        greatest(use_days.first_day, asked_from.first_day) as first_day,
        use_days.day + 29 as last_day

    from use_days

    inner join asked_from on use_days.day + 29 >= asked_from.first_day

    where use_days.first_day <= use_days.day + 29

),

reached as (

    -- A feature counts once on a day, however many of its rows reach that day.
    select
        *,
        max(last_day) over (
            partition by figure, account_id, module, feature
            order by first_day, last_day
            rows between unbounded preceding and 1 preceding
        ) as reached_day

    from asked

),

apart as (

    select * replace (greatest(first_day, coalesce(reached_day + 1, first_day)) as first_day)

    from reached

    where last_day > reached_day or reached_day is null

),

spans as (

    select
        account_id,
        first_day,
        last_day,
        1 as entitled,
        0 as used

    from apart

    where figure = 'entitled'

    union all

    select
        entitled.account_id,
        greatest(entitled.first_day, used.first_day) as first_day,
        least(entitled.last_day, used.last_day) as last_day,
        0 as entitled,
        1 as used

    from apart as entitled

    inner join apart as used
        on
            entitled.account_id = used.account_id
            and entitled.module = used.module
            and entitled.feature = used.feature
            and entitled.first_day <= used.last_day
            and entitled.last_day >= used.first_day

    where entitled.figure = 'entitled' and used.figure = 'used'

),

deltas as (

    select
        account_id,
        first_day as day,
        entitled,
        used
    from spans
    union all
    select
        account_id,
        last_day + 1 as day,
        -entitled as entitled,
        -used as used
    from spans

),

netted as (

    select
        account_id,
        day,
        sum(entitled) as entitled,
        sum(used) as used

    from deltas

    where day < {{ as_of_day() }}

    group by account_id, day

    having sum(entitled) <> 0 or sum(used) <> 0

),

final as (

    select
        account_id,
        day,
        cast(sum(entitled) over so_far as bigint) as entitled_features,
        cast(sum(used) over so_far as bigint) as entitled_features_used

    from netted

    window so_far as (partition by account_id order by day rows unbounded preceding)

)

select * from final
