-- One row per account and local month in which a user of it was registered on a full day: how many
-- were, each of them once.

{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='append_new_columns',
    full_refresh=false,
    tags=['kept'],
    pre_hook="{{ forget_from_due(ref('int_accounts_due'), 'month') }}",
) }}

with

user_spans as (

    select * from {{ ref('int_user_spans') }}

    where
        measure = 'registered_users'
        and basis = 'restated'
        and first_day < {{ as_of_day() }}

),

user_months as (

    select
        account_id,
        user_id,
        unnest(
            generate_series(
                date_trunc('month', first_day),
                least(last_day, {{ as_of_day() }} - 1),
                interval 1 month
            )
        ) as month

    from user_spans

),

final as (

    select
        account_id,
        cast(month as date) as month,
        count(distinct user_id) as registered_users

    from user_months

    group by account_id, month

)

select * from final
