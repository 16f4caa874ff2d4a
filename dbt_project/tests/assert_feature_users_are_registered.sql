-- Invariants 5 and 7, by feature.
select
    account_id,
    module,
    feature,
    users,
    non_users,
    registered_users_30d,
    days_used,
    last_used_on

from {{ ref('account_feature_usage') }}

where
    users + non_users <> registered_users_30d
    or users < 0
    or non_users < 0
    or days_used > 30
    or last_used_on >= {{ as_of_day() }}
