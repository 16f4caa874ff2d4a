-- One row per account with days: the first of the month from which its daily usage rows, and what
-- is counted from them, are made anew. Months are whole, so that what came before is a sum of
-- months; a day too many costs its time and changes nothing.

{{ config(materialized='table', post_hook='{{ note_accounts_begun() }}') }}

{% set always = "cast('1900-01-01' as date)" %}

with

accounts as (

    select * from {{ ref('int_accounts_dated') }}

    where not is_test

),

published as (

    select * from {{ ref('int_usage_days_published') }}

),

facts as (

    select * from {{ ref('int_account_facts') }}

),

facts_before as (

    select * from {{ ref('stg_rollups__account_facts') }}

),

settings as (

    select * from {{ ref('int_usage_settings') }}

),

settings_before as (

    select * from {{ ref('stg_rollups__settings') }}

),

begun as (

    select * from {{ ref('stg_rollups__accounts_begun') }}

),

recorded as (

    select * from {{ ref('stg_history__account_metrics_daily') }}

),

everybody as (

    -- The day that was not over, and the days that a watermark passed, or went back behind.
    select
        case
            when
                settings_before.as_of is null
                or settings_before.version <> settings.version
                or settings_before.core_modules <> settings.core_modules
                or settings_before.has_logins <> settings.has_logins
                then {{ always }}
            else least({{ local_day('settings_before.as_of') }}, {{ as_of_day() }})
        end as day

    from settings

    left join settings_before on true

    union all

    select
        case
            when settings_before.watermark_on is null or settings.watermark_on is null
                then {{ always }}
            else least(settings_before.watermark_on, settings.watermark_on) + 1
        end as day

    from settings

    left join settings_before on true

    where settings.watermark_on is distinct from settings_before.watermark_on

    union all

    -- What no release has shown yet is measured.
    select coalesce(max(day) + 1, {{ always }}) as day

    from recorded

),

changed_facts as (

    (
        select * from facts
        except
        select * from facts_before
    )

    union

    (
        select * from facts_before
        except
        select * from facts
    )

),

changed as (

    select
        account_id,
        day

    from published

    union all

    select
        account_id,
        first_day as day

    from changed_facts

    union all

    select
        account_id,
        due_from as day

    from begun

    union all

    select
        accounts.account_id,
        everybody.day

    from accounts

    cross join everybody

),

first_changed as (

    select
        account_id,
        min(day) as day

    from changed

    group by account_id

),

final as (

    select
        accounts.account_id,
        cast(date_trunc('month', {{ week_of('first_changed.day') }}) as date) as due_from

    from accounts

    inner join first_changed on accounts.account_id = first_changed.account_id

)

select * from final
