-- Invariant 8: identified users have a class, visitors none; by week the classes' users sum to the
-- registered ones, and none is below zero.
select
    account_id,
    user_id,
    class,
    cast(null as date) as week

from {{ ref('dim_users') }}

where
    is_anonymous <> (class is null)
    or class not in ('very_active', 'active', 'occasional', 'new', 'sleeper')

union all

select
    account_id,
    null as user_id,
    null as class,
    week

from {{ ref('account_usage_patterns') }}

where
    least(
        very_active_class_users,
        active_class_users,
        occasional_class_users,
        new_class_users,
        sleeper_class_users,
        dormant_users,
        never_seen_users
    ) < 0
    or never_seen_users > dormant_users
    or very_active_class_users
    + active_class_users
    + occasional_class_users
    + new_class_users
    + sleeper_class_users
    <> registered_users_30d
