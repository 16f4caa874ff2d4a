-- One row per account, local day that no release has shown yet and basis: the profile that judges
-- the day, and the day whose inputs it judges. Basis `day` is the day itself; `rules` is the day's
-- profile and configuration on the inputs of the day before, where either changed since then;
-- `weights` is the day before with the day's weights, where the configuration changed and the
-- profile did not. The two last say what a change of the score is due to. A lead has no health.

{{ config(materialized='table') }}

with

metrics as not materialized (

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
        extras,
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

unshown_days as (

    -- Joined by day, a scan passes over what was shown without reading it.
    select distinct metrics.day

    from metrics

    inner join last_shown on metrics.day > last_shown.last_day

),

unshown as (

    select
        metrics.account_id,
        metrics.day,
        metrics.account_status,
        companies.crm_status,
        companies.tier,
        companies.region,
        companies.country,
        companies.industry,
        companies.product_line,
        companies.size_band,
        companies.lifecycle_stage,
        companies.extras

    from metrics

    inner join unshown_days on metrics.day = unshown_days.day

    left join companies
        on
            metrics.account_id = companies.account_id
            and metrics.day between companies.first_day and companies.last_day

    where not coalesce(companies.is_lead, false)

),

first_day_spans as (

    select
        account_id,
        first_day,
        known_day,
        lead(known_day, 1, cast('9999-01-01' as date)) over (
            partition by account_id order by known_day
        ) - 1 as last_day

    from first_days

),

aged as (

    -- Days of history as they were known on the day.
    select
        unshown.account_id,
        unshown.day,
        unshown.day - first_day_spans.first_day + 1 as age_days

    from unshown

    inner join first_day_spans
        on
            unshown.account_id = first_day_spans.account_id
            and unshown.day between first_day_spans.known_day and first_day_spans.last_day

),

unshown_metrics as not materialized (

    select metrics.*

    from metrics

    inner join unshown_days on metrics.day = unshown_days.day

),

numbers as not materialized (

    select * exclude (account_status) from unshown_metrics

),

number_names as (

    select alias(columns(* exclude (account_id, day)))

    from numbers

    -- Of any row: the names are the columns'.
    limit 1  -- noqa: AM09

),

names_listed as (

    select list_value(*columns(*)) as names from number_names

),

numbers_cast as (

    select
        account_id,
        day,
        cast(columns(* exclude (account_id, day)) as double)

    from numbers

),

numbers_listed as (

    -- A list, since a row per account, day and number would be sixty times as many.
    select
        account_id,
        day,
        list_value(*columns(* exclude (account_id, day))) as numbers

    from numbers_cast

),

number_filters as (

    select
        filters.*,
        list_position(names_listed.names, filters.attribute) as place

    from filters

    cross join names_listed

    where filters.operator in ('at_least', 'at_most', 'above', 'below')

),

word_filters as (

    -- custom. and the name of a column that no contract names: it stands in extras.
    select
        *,
        case
            when operator in ('in', 'not_in') then regexp_replace(value, '\s*\|\s*', '|', 'g')
            else value
        end as asked,
        case
            when starts_with(attribute, 'custom.') then '$."' || substr(attribute, 8) || '"'
        end as custom_path

    from filters

    where operator in ('is', 'is_not', 'in', 'not_in')

),

words as (

    select
        unshown.account_id,
        unshown.day,
        word_filters.profile,
        word_filters.operator,
        word_filters.asked,
        nullif(
            case word_filters.attribute
                when 'account_status' then unshown.account_status
                when 'crm_status' then unshown.crm_status
                when 'tier' then unshown.tier
                when 'region' then unshown.region
                when 'country' then unshown.country
                when 'industry' then unshown.industry
                when 'product_line' then unshown.product_line
                when 'size_band' then unshown.size_band
                when 'lifecycle_stage' then unshown.lifecycle_stage
                else json_extract_string(unshown.extras, word_filters.custom_path)
            end,
            ''
        ) as told

    from unshown

    cross join word_filters

),

met as (

    -- As an alert rule's filters, none is met by what is missing, `is_not` and `not_in` included.
    select
        account_id,
        day,
        profile

    from words

    where
        case operator
            when 'is' then told = asked
            when 'is_not' then told <> asked
            when 'in' then list_contains(string_split(asked, '|'), told)
            when 'not_in' then not list_contains(string_split(asked, '|'), told)
        end

    union all

    select
        numbers_listed.account_id,
        numbers_listed.day,
        number_filters.profile

    from numbers_listed

    cross join number_filters

    where {{ is_on_side('numbers_listed.numbers[number_filters.place]', 'number_filters') }}

    union all

    select
        aged.account_id,
        aged.day,
        number_filters.profile

    from aged

    cross join number_filters

    where
        number_filters.attribute = 'age_days'
        and {{ is_on_side('aged.age_days', 'number_filters') }}

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

defaults as (

    -- One without filters matches everybody.
    select min(position) as position

    from filters_asked

    where filters = 0

),

matched as (

    select
        filters_met.account_id,
        filters_met.day,
        min(filters_asked.position) as position

    from filters_met

    inner join filters_asked
        on
            filters_met.profile = filters_asked.profile
            and filters_met.filters = filters_asked.filters

    group by filters_met.account_id, filters_met.day

),

profiled as (

    -- The first whose filters are all met.
    select
        aged.account_id,
        aged.day,
        aged.age_days,
        filters_asked.profile

    from aged

    cross join defaults

    left join matched on aged.account_id = matched.account_id and aged.day = matched.day

    inner join filters_asked
        on filters_asked.position = least(matched.position, defaults.position)

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
        compared.day - first_day_spans.first_day as history_days

    from compared

    inner join first_day_spans
        on
            compared.account_id = first_day_spans.account_id
            and compared.day - 1 between first_day_spans.known_day and first_day_spans.last_day

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
