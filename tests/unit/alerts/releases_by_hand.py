"""Writes small releases by hand: a folder with a manifest and the tables that alerts read."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb

RECORDED_AT = datetime(2025, 6, 1, 12, tzinfo=UTC)

TABLES = """
    create schema accounts; create schema health; create schema meta;
    create table accounts.account_metrics_daily (
        account_id varchar, day date, account_status varchar, mrr decimal(18, 2),
        use_count_change_ratio double, days_since_last_activity bigint, open_tickets bigint
    );
    create table health.fct_account_health_daily (
        account_id varchar, day date, profile varchar, score decimal(9, 6), state varchar
    );
    create table health.account_scoped_metrics_daily (
        account_id varchar, day date, metric varchar, scope varchar, value double
    );
    create table accounts.dim_accounts (
        account_id varchar, account_name varchar, status varchar, tier varchar, region varchar,
        is_test boolean, custom_attributes json
    );
    create table accounts.account_scorecard (
        account_id varchar, csm_id varchar, csm_name varchar, csm_email varchar
    );
    create table meta.metric_registry (metric varchar, name varchar, unit varchar);
    insert into meta.metric_registry values
        ('use_count_change_ratio', 'Change of use', 'ratio'), ('health_score', 'Health', 'points');
"""


@dataclass(frozen=True, kw_only=True)
class Day:
    """What is known of one account on one day; `tickets` is the metric most tests use."""

    account: str
    day: date
    tickets: int | None = None
    health: float | None = None
    change: float | None = None
    quiet_days: int | None = None
    status: str | None = "customer"


@dataclass(frozen=True, kw_only=True)
class Use:
    """How much one module, feature or event was used in the seven days up to one."""

    account: str
    day: date
    scope: str
    count: float | None


@dataclass(frozen=True, kw_only=True)
class Who:
    """An account's attributes in one release; a custom one, `Tier sold`, says the tier again."""

    account: str
    tier: str | None = "gold"
    is_test: bool = False
    name: str = field(default="")


def series(
    account: str, values: Mapping[date, float | None] | Iterable[float | None], **more: str
) -> list[Day]:
    """Days from 1 March 2025 on with these health scores."""
    days = values if isinstance(values, Mapping) else {march(n): v for n, v in enumerate(values, 1)}
    return [Day(account=account, day=day, health=value, **more) for day, value in days.items()]


def march(day: int) -> date:
    """A day of the month that these tests live in."""
    return date(2025, 3, 1) + timedelta(days=day - 1)


def publish(
    releases: Path,
    sequence: int,
    last_full_day: date,
    days: Iterable[Day],
    accounts: Iterable[Who] = (),
    *,
    uses: Iterable[Use] = (),
    release_id: str | None = None,
    manifest: Mapping[str, object] | None = None,
) -> Path:
    """Writes a release that knows the given days up to its last full one."""
    known = [found for found in days if found.day <= last_full_day]
    folder = releases / (release_id or f"r{sequence:04}")
    folder.mkdir(parents=True)
    named = {found.account: Who(account=found.account) for found in known}
    named |= {found.account: found for found in accounts}
    shown = [found for found in uses if found.day <= last_full_day]
    _write_tables(folder / "csw.duckdb", known, list(named.values()), shown)
    as_of = datetime.combine(last_full_day + timedelta(days=1), datetime.min.time(), UTC)
    content = {"id": folder.name, "sequence": sequence, "as_of": as_of.isoformat()}
    (folder / "manifest.json").write_text(json.dumps({**content, **(manifest or {})}))
    return folder


def _write_tables(path: Path, days: list[Day], accounts: list[Who], uses: list[Use]) -> None:
    metrics = [(d.account, d.day, d.status, 100, d.change, d.quiet_days, d.tickets) for d in days]
    health = [(d.account, d.day, "ongoing", d.health, "average") for d in days]
    people = [
        (
            a.account, a.name or f"Account {a.account}", "customer", a.tier, "eu", a.is_test,
            json.dumps({"Tier sold": a.tier} if a.tier else {}),
        )
        for a in accounts
    ]  # fmt: skip
    cards = [(a.account, "c1", "Ada Example", "ada@example.com") for a in accounts]
    with duckdb.connect(str(path)) as connection:
        connection.execute(TABLES)
        _insert(connection, "accounts.account_metrics_daily", metrics)
        _insert(connection, "health.fct_account_health_daily", health)
        _insert(
            connection,
            "health.account_scoped_metrics_daily",
            [(use.account, use.day, "use_count_7d", use.scope, use.count) for use in uses],
        )
        _insert(connection, "accounts.dim_accounts", people)
        _insert(connection, "accounts.account_scorecard", cards)


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: list[tuple]) -> None:
    if rows:
        marks = ", ".join("?" * len(rows[0]))
        connection.executemany(f"insert into {table} values ({marks})", rows)  # noqa: S608
