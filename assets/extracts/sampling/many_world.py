"""The world of a large sample as DuckDB tables: accounts, users and what they bought.

Everything is drawn by hashes of the seed and a row's own number, so no row depends on another
draw, on the clock or on how many days are asked for. Days are counted from the sample's first.
"""

from dataclasses import dataclass
from datetime import date

import duckdb

from assets.extracts.sampling.many_events import pattern_rows

# What stands for chance: a number from 0 to n - 1, or from 0 up to 1, that depends on the seed, a
# salt and the row's key alone. Hashed twice, since DuckDB's hashes of several values differ by the
# same bits wherever the salts do, and dice of two salts would fall alike.
CHANCE = (
    "create macro dice(salt, key, n) as cast(hash(hash(salt, {seed}, key)) % n as integer)",
    "create macro share(salt, key) as (hash(hash(salt, {seed}, key)) >> 11) / 9007199254740992.0",
    "create macro instant(day) as timezone('UTC', timestamp '{first_day}' + to_days(day))",
)
# A twentieth of the accounts leaves; the first one always stays, so that every day has somebody.
ACCOUNTS = """
create table accounts as
select
    n,
    'acc-' || lpad(cast(n + 1 as varchar), 5, '0') as account_id,
    case
        when {is_steady} then -1
        when n = 0 then -400
        when dice('is early', n, 10) < 6 then -1 - dice('before', n, 400)
        else dice('after', n, 700)
    end as created_day,
    case when n > 0 and dice('leaves', n, 20) = 0 and not {is_steady}
        then created_day + 90 + dice('until', n, 900) end as gone_day,
    dice('region', n, 3) as region,
    dice('breadth', n, 6) + 5 as breadth,
    least(cast(log2({accounts} / (n + 1)) / 2 as integer), 3) as band,
    instant(created_day) + to_seconds(25200 + dice('hour', n, 36000)) as created_at
from range({accounts}) t(n)
"""
# Users are numbered from the keenest on. Each account has one at least; of the others the first
# accounts have most, with a long tail: the share of the account at place r falls as its root.
USERS = """
create table users as
with placed as (
    select
        u,
        case
            when u < {accounts} then u
            else cast(floor({accounts} * share('account', u) * share('account', u)) as bigint)
        end as n
    from range({users}) t(u)
),
lives as (
    select
        u, n, account_id, region, breadth,
        row_number() over (partition by n order by u) as number,
        accounts.created_day
            + case when {is_steady} then 0
                when u < {accounts} or dice('is early', -u, 10) < 4 then dice('wait', u, 5)
                else dice('wait', u, 600) end as created_day,
        accounts.gone_day as account_gone_day
    from placed inner join accounts using (n)
)
select
    u, n, account_id, region, breadth, created_day,
    'u-' || substr(account_id, 5) || '-' || lpad(cast(number as varchar), 4, '0') as user_id,
    least(
        account_gone_day,
        case when u > 0 and dice('leaves', -u, 12) = 0 and not {is_steady}
            then created_day + 60 + dice('stays', u, 400) end
    ) as gone_day,
    cast(case when dice('mobile', u, 5) = 0 then 3 else dice('device', u, 3) end as integer)
        as device,
    instant(created_day) + to_seconds(25200 + dice('second', u, 36000)) as created_at
from lives
where account_gone_day is null or created_day < account_gone_day
"""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How large a world is: the seed that chooses it, its accounts, its users, its first day.

    In a steady one everybody is there from the first day on and stays.
    """

    seed: int
    accounts: int
    users: int
    first_day: date
    is_steady: bool = False


def make_world(connection: duckdb.DuckDBPyConnection, size: Size) -> None:
    """Creates the tables `accounts`, `users` and `pattern` and the macros that draw everything."""
    connection.execute("set TimeZone = 'UTC'")
    said = {
        "seed": size.seed,
        "accounts": size.accounts,
        "users": max(size.users, size.accounts),
        "first_day": size.first_day.isoformat(),
        "is_steady": size.is_steady,
    }
    for statement in (*CHANCE, ACCOUNTS, USERS):
        connection.execute(statement.format(**said))
    connection.execute(pattern_rows())
