-- One row per account and local day of int_account_days whose daily usage row is made anew.

{{ config(tags=['kept']) }}

with

accounts as (

    select * from {{ ref('int_accounts_dated') }}

    where not is_test

),

due as (

    select * from {{ ref('int_accounts_due') }}

),

final as (

    select
        accounts.account_id,
        due.due_from,
        cast(
            unnest(
                generate_series(
                    greatest(accounts.first_day, due.due_from),
                    least({{ as_of_day() }}, accounts.merged_day) - 1,
                    interval 1 day
                )
            ) as date
        ) as day,
        accounts.created_on,
        accounts.known_day,
        accounts.merged_day

    from accounts

    inner join due on accounts.account_id = due.account_id

)

select * from final
