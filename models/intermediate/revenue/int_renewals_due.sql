-- One row per subscription and term of its that has begun: when it falls due, counted in whole
-- terms from the first paid day, whose day of the month is kept (31 January, 28 February, 31
-- March). The last one is the next renewal of a subscription that goes on. A subscription
-- without a term, or one of 0 months, is evergreen and has none.

with

anchored as (

    select * from {{ ref('int_renewals_anchored') }}

),

local as (

    select
        * exclude (paid_from_at),
        {{ local_day('paid_from_at') }} as paid_from,
        {{ local_day(happened('paid_until_at')) }} as ended_on

    from anchored

    where renewal_term_months > 0 and paid_from_at is not null

),

numbered as (

    select
        *,
        unnest(
            generate_series(
                1, date_diff('month', paid_from, {{ as_of_day() }}) // renewal_term_months + 1
            )
        ) as term_number

    from local

),

dated as (

    select
        *,
        cast(
            paid_from + to_months(cast((term_number - 1) * renewal_term_months as integer)) as date
        ) as term_starts_on,
        cast(
            paid_from + to_months(cast(term_number * renewal_term_months as integer)) as date
        ) as renewal_on

    from numbered

),

final as (

    select
        account_id,
        subscription_id,
        term_number,
        term_starts_on,
        renewal_on,
        renewal_on - cast(notice_days as integer) as notice_window_starts_on,
        coalesce(ended_on <= renewal_on, false) as is_ended,
        paid_until_at

    from dated

    where
        (term_number = 1 or term_starts_on < {{ as_of_day() }})
        and (term_number = 1 or ended_on is null or ended_on > term_starts_on)

)

select * from final
