-- One row per account, local day that no release has shown yet and basis: the profile that judges
-- the day, and the day whose inputs it judges. Basis `day` is the day itself; `rules` is the day's
-- profile and configuration on the inputs of the day before, where either changed since then;
-- `weights` is the day before with the day's weights, where the configuration changed and the
-- profile did not. The two last say what a change of the score is due to. A lead has no health.

{{ config(materialized='table') }}

with

metrics as (

    select * from {{ ref('account_metrics_daily') }}

),

shown as (

    select * from {{ ref('stg_history__fct_account_health_daily') }}

),

first_days as (

    select * from {{ ref('int_account_first_days') }}

),

companies as (

    select
        account_id,
        is_lead,
        status as crm_status,
        tier,
        region,
        country,
        industry,
        product_line,
        size_band,
        lifecycle_stage,
        {{ known_day('known_from') }} as first_day,
        {{ known_day('known_until') }} - 1 as last_day

    from {{ ref('int_companies_known') }}

),

profiles as (

    select * from {{ ref('health_profiles') }}

),

filters as (

    select * from {{ ref('health_profile_filters') }}

),

last_shown as (

    select coalesce(max(day), cast('1900-01-01' as date)) as last_day from shown

),

unshown as (

    select
        metrics.*,
        companies.crm_status,
        companies.tier,
        companies.region,
        companies.country,
        companies.industry,
        companies.product_line,
        companies.size_band,
        companies.lifecycle_stage

    from metrics

    inner join last_shown on metrics.day > last_shown.last_day

    left join companies
        on
            metrics.account_id = companies.account_id
            and metrics.day between companies.first_day and companies.last_day

    where not coalesce(companies.is_lead, false)

),

aged as (

    -- Days of history as they were known on the day.
    select
        unshown.account_id,
        unshown.day,
        unshown.day - first_days.first_day + 1 as age_days

    from unshown

    asof inner join first_days
        on unshown.account_id = first_days.account_id and unshown.day >= first_days.known_day

),

words as (

    select
        account_id,
        day,
        coalesce(account_status, '') as account_status,
        coalesce(crm_status, '') as crm_status,
        coalesce(tier, '') as tier,
        coalesce(region, '') as region,
        coalesce(country, '') as country,
        coalesce(industry, '') as industry,
        coalesce(product_line, '') as product_line,
        coalesce(size_band, '') as size_band,
        coalesce(lifecycle_stage, '') as lifecycle_stage

    from unshown

),

unshown_numbers as (

    select
        * exclude (
            account_status,
            crm_status,
            tier,
            region,
            country,
            industry,
            product_line,
            size_band,
            lifecycle_stage
        )

    from unshown

),

numbers as (

    select
        unshown_numbers.*,
        aged.age_days

    from unshown_numbers

    inner join aged
        on unshown_numbers.account_id = aged.account_id and unshown_numbers.day = aged.day

),

told_in_words as (

    select
        account_id,
        day,
        attribute,
        value

    from (
        unpivot words
        on columns(* exclude (account_id, day))
        into name attribute value value
    )

),

told_in_numbers as (

    select
        account_id,
        day,
        attribute,
        value

    from (
        unpivot numbers
        on cast(columns(* exclude (account_id, day)) as double)
        into name attribute value value
    )

),

met as (

    select
        told_in_words.account_id,
        told_in_words.day,
        filters.profile

    from told_in_words

    inner join filters on told_in_words.attribute = filters.attribute

    where
        case filters.operator
            when 'is' then told_in_words.value = filters.value
            when 'is_not' then told_in_words.value <> filters.value
            when 'in' then list_contains(string_split(filters.value, '|'), told_in_words.value)
            when 'not_in'
                then not list_contains(string_split(filters.value, '|'), told_in_words.value)
        end

    union all

    select
        told_in_numbers.account_id,
        told_in_numbers.day,
        filters.profile

    from told_in_numbers

    inner join filters on told_in_numbers.attribute = filters.attribute

    where {{ is_on_side('told_in_numbers.value', 'filters') }}

),

filters_met as (

    select
        account_id,
        day,
        profile,
        count(*) as filters

    from met

    group by account_id, day, profile

),

filters_asked as (

    select
        profiles.profile,
        profiles.position,
        count(filters.profile) as filters

    from profiles

    left join filters on profiles.profile = filters.profile

    group by profiles.profile, profiles.position

),

profiled as (

    -- The first whose filters are all met; one without filters matches everybody.
    select
        aged.account_id,
        aged.day,
        aged.age_days,
        min_by(filters_asked.profile, filters_asked.position) as profile

    from aged

    cross join filters_asked

    left join filters_met
        on
            aged.account_id = filters_met.account_id
            and aged.day = filters_met.day
            and filters_asked.profile = filters_met.profile

    where coalesce(filters_met.filters, 0) = filters_asked.filters

    group by aged.account_id, aged.day, aged.age_days

),

shown_last as (

    select
        shown.account_id,
        shown.day,
        shown.profile,
        shown.configuration_version

    from shown

    inner join last_shown on shown.day = last_shown.last_day

),

judged_before as (

    select
        account_id,
        day,
        profile,
        '{{ var("configuration_version") }}' as configuration_version
    from profiled
    union all
    select * from shown_last

),

compared as (

    select
        profiled.account_id,
        profiled.day,
        profiled.profile,
        profiled.age_days,
        profiled.profile <> judged_before.profile as is_profile_new,
        judged_before.configuration_version <> '{{ var("configuration_version") }}'
            as is_configuration_new

    from profiled

    inner join judged_before
        on
            profiled.account_id = judged_before.account_id
            and profiled.day = judged_before.day + 1

),

days_before as (

    -- How old the account was known to be on the day before.
    select
        compared.account_id,
        compared.day,
        compared.profile,
        compared.age_days,
        compared.day - 1 as input_day,
        compared.is_profile_new,
        compared.day - first_days.first_day as history_days

    from compared

    asof inner join first_days
        on
            compared.account_id = first_days.account_id
            and compared.day - 1 >= first_days.known_day

    where compared.is_profile_new or compared.is_configuration_new

),

final as (

    select
        account_id,
        day,
        'day' as basis,
        profile,
        age_days,
        day as input_day,
        age_days as history_days

    from profiled

    union all

    select
        account_id,
        day,
        'rules' as basis,
        profile,
        age_days,
        input_day,
        history_days

    from days_before

    union all

    select
        account_id,
        day,
        'weights' as basis,
        profile,
        age_days,
        input_day,
        history_days

    from days_before

    where not is_profile_new

)

select * from final
