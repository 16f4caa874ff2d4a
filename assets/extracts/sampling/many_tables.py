"""What a large sample says beside events: who its accounts and users are and what they bought.

A day's file holds the rows that came or ended on it, as they are when it is over; the first
day's file holds all before it too.
"""

import duckdb

# A row is told once when it comes and once when it ends.
TOLD = """
with told as (
    select *, greatest(created_day, 0) as day, false as has_ended from {table}
    where gone_day is null or gone_day > 0
    union all
    select *, greatest(gone_day, 0) as day, true as has_ended from {table}
    where gone_day is not null
),
latest as (select * from told where day = {day})
"""
ACCOUNTS = """
select
    account_id,
    'Account ' || (n + 1) as account_name,
    if(has_ended, 'churned', 'active') as status,
    (['Starter', 'Growth', 'Growth', 'Enterprise'])[1 + band] as tier,
    (['EMEA', 'Americas', 'APAC'])[1 + region] as region,
    (['DE', 'US', 'SG'])[1 + region] as country,
    (['Logistics', 'Retail', 'Healthcare', 'Energy', 'Education'])[1 + dice('industry', n, 5)]
        as industry,
    (['Operations', 'Projects', 'Field teams'])[1 + dice('line', n, 3)] as product_line,
    (['1-50', '51-200', '201-1000', '1001+'])[1 + band] as size_band,
    created_at,
    'USD' as currency,
    n = 8 as is_test,
    if(has_ended, instant(gone_day), created_at) as updated_at
from latest order by n
"""
USERS = """
select
    account_id, user_id,
    user_id || '@acc' || (n + 1) || '.example' as email,
    'User ' || (u + 1) as full_name,
    created_at,
    case when has_ended then instant(gone_day) end as deactivated_at,
    dice('is internal', u, 400) = 7 as is_internal,
    if(dice('provider', u, 3) = 0, 'saml', 'password,google') as sign_in_providers,
    if(has_ended, instant(gone_day), created_at) as updated_at
from latest order by u
"""
SUBSCRIPTIONS = """
select
    'sub-' || (n + 1) as subscription_id,
    account_id,
    if(has_ended, 'canceled', 'active') as status,
    (['Starter', 'Growth', 'Growth', 'Enterprise'])[1 + band] as plan,
    'USD' as currency,
    created_at as started_at,
    case when has_ended then instant(gone_day) end as ended_at,
    12 as renewal_term_months,
    created_at,
    if(has_ended, instant(gone_day), created_at) as updated_at
from latest order by n
"""
LICENSES = """
select
    'lic-' || (n + 1) || '-' || package as license_id,
    account_id,
    package,
    10 * (1 + band) as seats_purchased,
    created_at as started_at,
    case when has_ended then cast(instant(gone_day) as date) end as expires_on,
    if(has_ended, instant(gone_day), created_at) as updated_at
from latest, (values ('core', 10), ('insights', 5)) as packages(package, tenths)
where dice(package, n, 10) < tenths
order by n, package
"""
ASSIGNMENTS = """
select
    'lic-' || (n + 1) || '-core' as license_id,
    user_id,
    created_at as assigned_at,
    case when has_ended then instant(gone_day) end as unassigned_at
from latest
where dice('is assigned', u, 10) < 8
order by u
"""
# Contract table: (what it is told from, its columns)
TABLES = {
    "crm.accounts": ("accounts", ACCOUNTS),
    "events.users": ("users", USERS),
    "invoices.subscriptions": ("accounts", SUBSCRIPTIONS),
    "crm.licenses": ("accounts", LICENSES),
    "crm.license_assignments": ("users", ASSIGNMENTS),
}


def changes_of(name: str, day: int) -> str:
    """The query of a contract table's news of a day, which is counted from the first one."""
    table, columns = TABLES[name]
    return TOLD.format(table=table, day=day) + columns


def days_of_changes(connection: duckdb.DuckDBPyConnection, name: str) -> set[int]:
    """The days on which anything comes or ends in what a contract table is told from."""
    told = TOLD.format(table=TABLES[name][0], day="day")
    rows = connection.execute(f"{told} select distinct day from latest").fetchall()  # noqa: S608
    return {int(row[0]) for row in rows}
