-- One row per account, measure, module and unbroken run of days at whose end the module counts in
-- the measure: used in the 30 days that end with it, from the day from which the account is due, or
-- entitled. `(none)` is no module.

{{ config(materialized='table', tags=['kept']) }}

with

due as (

    select * from {{ ref('int_accounts_due') }}

),

use_days as (

    select
        use_days.account_id,
        use_days.module,
        use_days.day,
        due.due_from

    from {{ ref('int_use_days') }} as use_days

    inner join due
        on use_days.account_id = due.account_id and use_days.day >= due.due_from - 29

    where use_days.module <> '(none)' and use_days.day < {{ as_of_day() }}

),

entitlements as (

    select * from {{ ref('int_entitlements_dated') }}

),

spans as (

    select
        account_id,
        'modules_used' as measure,
        module,
        greatest(day, due_from) as first_day,
        day + 29 as last_day

    from use_days

    union

    select
        account_id,
        'modules_entitled' as measure,
        module,
        first_day,
        last_day

    from entitlements

),

reached as (

    select
        *,
        max(last_day) over (
            partition by account_id, measure, module
            order by first_day, last_day
            rows between unbounded preceding and 1 preceding
        ) as reached_day

    from spans

),

numbered as (

    select
        *,
        sum(case when first_day <= reached_day + 1 then 0 else 1 end) over (
            partition by account_id, measure, module
            order by first_day asc, last_day asc, reached_day asc nulls first
            rows unbounded preceding
        ) as span_number

    from reached

),

final as (

    select
        account_id,
        measure,
        module,
        min(first_day) as first_day,
        max(last_day) as last_day

    from numbered

    group by account_id, measure, module, span_number

)

select * from final
