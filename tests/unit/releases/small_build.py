"""A build with two marts of a few rows, as the release step finds it after the audit."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb

from assets.extracts.tables import prepare
from assets.releases.history import prepare_history
from assets.releases.publishing import (
    CheckResult,
    PublishedRelease,
    ReleaseRequest,
    heal,
    publish,
)

ONE, TWO, THREE, FOUR, FIVE = (date(2025, 1, day) for day in range(1, 6))
PUBLISHED_AT = datetime(2030, 1, 1, tzinfo=UTC)

MARTS = """
    create schema reference; create schema intermediate; create schema accounts;
    create schema health; create schema builds;
    create table builds.nodes (node varchar not null, fingerprint varchar);
    create table reference.configuration
        (version varchar, file varchar, row bigint, column_name varchar, value varchar);
    create table intermediate.int_source_watermarks_daily
        (source_name varchar, day date, watermark_on date);
    insert into intermediate.int_source_watermarks_daily values
        ('crm', '2025-01-01', '2025-01-01'), ('crm', '2025-01-02', '2025-01-02');
    create table accounts.account_metrics_daily (account_id varchar, day date, mrr decimal(18, 2));
    create table health.fct_account_health_daily (account_id varchar, day date, score double);
    create table health.fct_health_conditions_daily
        (account_id varchar, day date, condition varchar);
    create table health.fct_health_changes (account_id varchar, day date, change double);
    create table health.account_scoped_metrics_daily
        (account_id varchar, day date, metric varchar);
    create table health.account_kpis_daily (account_id varchar, day date, health_score double);
    comment on table accounts.account_metrics_daily is 'One row per account''s day.';
    comment on column accounts.account_metrics_daily.mrr is 'What it pays.';
"""


@contextmanager
def open_build(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The build in its file; made where there is none."""
    file = folder / "build.duckdb"
    is_new = not file.exists()
    with duckdb.connect(str(file)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        if is_new:
            prepare(connection)
            prepare_history(connection)
            connection.execute(MARTS)
        yield connection


def show(connection: duckdb.DuckDBPyConnection, days: dict[date, int]) -> None:
    """The marts as a run makes them: one account, with what it pays on each day."""
    connection.execute("delete from builds.nodes")  # as the plan of a build that makes them
    tables = (
        "accounts.account_metrics_daily",
        "health.fct_account_health_daily",
        "health.fct_health_conditions_daily",
        "health.fct_health_changes",
        "health.account_scoped_metrics_daily",
        "health.account_kpis_daily",
    )
    for table in tables:
        connection.execute(f"delete from {table}")  # noqa: S608
    for day, mrr in days.items():
        connection.execute(f"insert into {tables[0]} values ('a', ?, ?)", [day, mrr])  # noqa: S608
        connection.execute(f"insert into {tables[1]} values ('a', ?, 50)", [day])  # noqa: S608
        connection.execute(f"insert into {tables[2]} values ('a', ?, 'c')", [day])  # noqa: S608
        connection.execute(f"insert into {tables[3]} values ('a', ?, 0)", [day])  # noqa: S608
        connection.execute(f"insert into {tables[4]} values ('a', ?, 'm')", [day])  # noqa: S608
        connection.execute(f"insert into {tables[5]} values ('a', ?, 50)", [day])  # noqa: S608


def request(as_of: date, *checks: CheckResult) -> ReleaseRequest:
    return ReleaseRequest(
        as_of=datetime(as_of.year, as_of.month, as_of.day, tzinfo=UTC),
        as_of_day=as_of.isoformat(),
        time_zone="UTC",
        published_at=PUBLISHED_AT,
        code_version="1",
        configuration_version="c",
        checks=checks,
        engines={"duckdb": duckdb.__version__},
    )


def check(*, passed: bool, severity: str) -> CheckResult:
    return CheckResult(
        check="adds_up", asset="accounts/x", severity=severity, passed=passed, summary="said"
    )


def run(folder: Path, as_of: date, days: dict[date, int]) -> PublishedRelease:
    """A run: what a dead one left is healed, the marts are made, a release is published."""
    with open_build(folder) as build:
        heal(build, folder / "releases")
        show(build, days)
        return publish(build, folder / "releases", request(as_of))


def read(folder: Path, sql: str, release: str = "current") -> list[Any]:
    """What readers of a release see."""
    file = folder / "releases" / release / "csw.duckdb"
    with duckdb.connect(str(file), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        return connection.execute(sql).fetchall()
