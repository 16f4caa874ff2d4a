-- One row per local day, from the first day of any account to a year after the as-of day, with the
-- periods that it falls in. A fiscal year is named for the calendar year in which it ends.

with

accounts as (

    select * from {{ ref('int_accounts_dated') }}

    where not is_test

),

bounds as (

    select
        min(first_day) as first_day,
        cast({{ as_of_day() }} + interval 1 year as date) as last_day

    from accounts

),

days as (

    select cast(unnest(generate_series(first_day, last_day, interval 1 day)) as date) as day

    from bounds

),

placed as (

    select
        day,
        {{ week_of('day') }} as week,
        cast(date_trunc('month', day) as date) as month,
        {{ fiscal_period_of('quarter', 'day') }} as fiscal_quarter_start,
        {{ fiscal_period_of('year', 'day') }} as fiscal_year_start

    from days

),

final as (

    select
        day,
        week,
        month,
        cast(date_trunc('quarter', day) as date) as quarter,
        cast(date_trunc('year', day) as date) as year,
        fiscal_quarter_start,
        fiscal_year_start,
        cast(
            year(cast(fiscal_year_start + interval 1 year as date) - 1) as bigint
        ) as fiscal_year,
        cast(
            date_diff('month', fiscal_year_start, fiscal_quarter_start) // 3 + 1 as bigint
        ) as fiscal_quarter,
        cast(isodow(day) as bigint) as day_of_week,
        isodow(day) >= 6 as is_weekend,
        day < {{ as_of_day() }} as is_past

    from placed

)

select * from final
