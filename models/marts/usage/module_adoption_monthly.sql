-- One row per account, module and local month in which the account is entitled to it at the month's
-- end, or used it: adoption by any segment is a sum over a sum. The month that has not ended is
-- told as of its last full day.

with

accounts as (

    select * from {{ ref('int_accounts_dated') }}

    where not is_test and merged_day is null

),

module_months as (

    select * from {{ ref('int_account_module_months') }}

    where module <> '(none)'

),

entitlements as (

    select * from {{ ref('int_entitlements_dated') }}

),

registered_months as (

    select * from {{ ref('int_registered_months') }}

),

attributes as (

    select * from {{ ref('dim_accounts_monthly') }}

),

health as (

    select * from {{ ref('fct_account_health_daily') }}

),

licenses as (

    select * from {{ ref('fct_licenses_daily') }}

    where status in ('Active', 'Trial')

),

modules as (

    select * from {{ ref('int_modules_known') }}

    where package <> '(none)' and is_offered

),

adoption as (

    select * from {{ ref('module_adoption') }}

),

months as (

    select
        account_id,
        cast(
            unnest(
                generate_series(
                    date_trunc('month', first_day), {{ as_of_day() }} - 1, interval 1 month
                )
            ) as date
        ) as month

    from accounts

),

ended as (

    select
        account_id,
        month,
        least(cast(month + interval 1 month as date), {{ as_of_day() }}) - 1 as ends_on

    from months

),

entitled as (

    select distinct
        ended.account_id,
        ended.month,
        entitlements.module

    from ended

    inner join entitlements
        on
            ended.account_id = entitlements.account_id
            and ended.ends_on between entitlements.first_day and entitlements.last_day

),

told as (

    select
        coalesce(entitled.account_id, module_months.account_id) as account_id,
        coalesce(entitled.month, module_months.month) as month,
        coalesce(entitled.module, module_months.module) as module,
        entitled.account_id is not null as is_entitled,
        coalesce(module_months.users, 0) as users,
        coalesce(module_months.active_us, 0) as active_us,
        coalesce(module_months.use_count, 0) as use_count,
        coalesce(module_months.days_used, 0) as days_used

    from entitled

    full join module_months
        on
            entitled.account_id = module_months.account_id
            and entitled.month = module_months.month
            and entitled.module = module_months.module

    where entitled.account_id is not null or module_months.days_used > 0

),

packages as (

    select
        module,
        min(package) as package

    from modules

    group by module

),

seats as (

    select
        account_id,
        package,
        day,
        case
            when not bool_or(is_unlimited or seats_purchased is null)
                then sum(seats_purchased)
        end as seats

    from licenses

    where day + 1 = {{ as_of_day() }} or day(day + 1) = 1

    group by account_id, package, day

),

final as (

    select
        told.account_id,
        told.module,
        told.month,
        packages.package,
        attributes.tier,
        attributes.region,
        attributes.industry,
        attributes.size_band,
        attributes.product_line,
        health.profile,
        cast(told.users as bigint) as users,
        coalesce(registered_months.registered_users, 0) as registered_users,
        cast(seats.seats as bigint) as seats,
        cast(told.active_us / 1000000 as double) as active_seconds,
        cast(told.use_count as bigint) as use_count,
        cast(told.days_used as bigint) as days_used,
        told.is_entitled,
        told.days_used
        >= coalesce(own_adoption.adopted_from_days, any_adoption.adopted_from_days, 3)
            as is_adopted,
        told.month + interval 1 month > {{ as_of_day() }} as is_partial

    from told

    inner join ended on told.account_id = ended.account_id and told.month = ended.month

    left join registered_months
        on
            told.account_id = registered_months.account_id
            and told.month = registered_months.month

    left join packages on told.module = packages.module

    left join seats
        on
            told.account_id = seats.account_id
            and packages.package = seats.package
            and ended.ends_on = seats.day

    left join attributes
        on told.account_id = attributes.account_id and told.month = attributes.month

    left join health
        on told.account_id = health.account_id and ended.ends_on = health.day

    left join adoption as own_adoption on told.module = own_adoption.module

    left join adoption as any_adoption on any_adoption.module = '*'

)

select * from final
