-- One row per account per local day, from its first day to the last full day, or to the last one
-- before its merge into another one was known. Test accounts are left out of usage, benchmarks,
-- revenue and alerts, and so have no days.

with

accounts as (

    select * from {{ ref('int_accounts_dated') }}

),

final as (

    select
        account_id,
        cast(
            unnest(
                generate_series(
                    first_day, least({{ as_of_day() }}, merged_day) - 1, interval 1 day
                )
            ) as date
        ) as day,
        created_on,
        known_day,
        merged_day

    from accounts

    where not is_test

)

select * from final
