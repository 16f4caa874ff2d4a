-- Invariants 5 and 7: users + non_users = registered_users_30d, none below zero; days_used <= 30
-- and last_used_on before the as-of day.
select * from {{ ref('account_module_usage') }}

where
    users + non_users <> registered_users_30d
    or non_users < 0
    or days_used > 30
    or last_used_on >= {{ as_of_day() }}
