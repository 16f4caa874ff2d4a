"""What releases have shown, and that they were published: the part of the build that only grows."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from assets.ledger_copies import prepare_ledger_copies
from assets.releases import tables
from assets.sql_text import literal
from assets.transactions import transaction
from assets.warehouse.configuration_changes import CHANGES_FILE

# What is appended for ever, and the mart that it is appended from (spec 70).
SHOWN: dict[str, str] = {
    "account_metrics_daily": "accounts.account_metrics_daily",
    "fct_account_health_daily": "health.fct_account_health_daily",
    "fct_health_conditions_daily": "health.fct_health_conditions_daily",
    "fct_health_changes": "health.fct_health_changes",
    "account_scoped_metrics_daily": "health.account_scoped_metrics_daily",
    "account_kpis_daily": "health.account_kpis_daily",
}
# What the usage rollups were made from: dbt reads and writes it (models/staging/rollups).
ROLLUP_BOOKS: dict[str, str] = {
    "done": "change_id bigint, as_of timestamptz, has_logins boolean",
    "facts": "source_account_id varchar, account_id varchar, first_day date, last_day date, "
    "fact varchar",
    "licenses": "account_id varchar, user_id varchar, package varchar, first_day date, "
    "last_day date, license_id varchar",
    "days_begun": "account_id varchar, day date",
    "settings": "as_of timestamptz, watermark_on date, has_logins boolean, core_modules varchar, "
    "version varchar",
    "account_facts": "account_id varchar, fact varchar, first_day date",
    "accounts_begun": "account_id varchar, due_from date",
    "metric_months": "account_id varchar, month date, content hugeint",
}


@dataclass(frozen=True, kw_only=True)
class ReleaseRecord:
    """One published release, as the build remembers it.

    Attributes:
        sequence: Place in the order of publication, from 1.
        release_id: Name of its folder.
        as_of: The as-of instant of its run.
        published_at: Wall clock, for people.
        code_version: Version and fingerprint of the code that made it.
        configuration_version: Fingerprint of the seeds that it was made with.
        last_delivery_id: The newest delivery in it; later ones are still to be judged.
    """

    sequence: int
    release_id: str
    as_of: datetime
    published_at: datetime
    code_version: str
    configuration_version: str
    last_delivery_id: int


# What was configured, once per version, with the release that it is valid from.
_CONFIGURATION = (
    "version varchar, file varchar, row bigint, column_name varchar, value varchar, "
    "valid_from_release varchar, valid_from timestamptz, who varchar"
)
_FIELDS = tuple(ReleaseRecord.__dataclass_fields__)


def prepare_history(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the tables of what was shown, so that dbt can read them before the first release."""
    prepare_ledger_copies(connection)
    connection.execute("create schema if not exists history")
    for table in SHOWN:
        # The other columns are the mart's own and come with the first append.
        connection.execute(
            f"create table if not exists history.{table} (account_id varchar, day date)"
        )
    connection.execute("create schema if not exists rollups")
    for table, columns in ROLLUP_BOOKS.items():
        connection.execute(f"create table if not exists rollups.{table} ({columns})")
    connection.execute(f"create table if not exists history.configuration ({_CONFIGURATION})")
    connection.execute("alter table history.configuration add column if not exists who varchar")
    connection.execute(
        "create table if not exists history.releases ("
        "sequence bigint primary key, release_id varchar not null, as_of timestamptz not null, "
        "published_at timestamptz not null, code_version varchar not null, "
        "configuration_version varchar not null, last_delivery_id bigint not null)"
    )


def read_releases(connection: duckdb.DuckDBPyConnection) -> list[ReleaseRecord]:
    """All recorded releases, oldest first."""
    rows = connection.execute(
        f"select {', '.join(_FIELDS)} from history.releases order by sequence"
    ).fetchall()
    names = _FIELDS
    return [ReleaseRecord(**dict(zip(names, row, strict=True))) for row in rows]


def append_shown(connection: duckdb.DuckDBPyConnection, record: ReleaseRecord) -> dict[str, int]:
    """Append the days that no release has shown yet, and the release's record, in one transaction.

    Returns:
        Rows appended per history table.
    """
    with transaction(connection):
        appended = {
            table: _append_days(connection, table, mart, "build") for table, mart in SHOWN.items()
        }
        remember_configuration(connection, record, "history.configuration")
        connection.execute(
            f"insert into history.releases ({', '.join(_FIELDS)}) "
            f"values ({', '.join('?' * len(_FIELDS))})",
            [getattr(record, name) for name in _FIELDS],
        )
    return appended


def remember_configuration(
    connection: duckdb.DuckDBPyConnection, record: ReleaseRecord, table: str
) -> None:
    """Add the seeds' cells to a table of configurations, unless the release before had them too.

    Whoever edits the seeds adds a line to configuration_changes.csv: who changed a version is who
    the lines name that are new in it, NULL where there is none. A build whose run recorded no
    configuration has none to remember.
    """
    if not tables.read_columns(connection, "build", "reference.configuration"):
        return
    connection.execute(
        f"""
        with
        last as (select arg_max(version, valid_from_release) as version from history.configuration),
        told as (
            select coalesce(max(row), 0) as rows from history.configuration
            where file = $file and version = (from last)
        ),
        changed as (
            select string_agg(distinct value, ', ' order by value) as who
            from reference.configuration
            where file = $file and column_name = 'changed_by' and row > (from told)
        )
        insert into {table} by name
        select
            *, $release_id as valid_from_release, $as_of as valid_from, (from changed) as who
        from reference.configuration
        where version is distinct from (from last)
        """,
        {"file": CHANGES_FILE, "release_id": record.release_id, "as_of": record.as_of},
    )


def restore_from_release(connection: duckdb.DuckDBPyConnection, release_file: Path) -> int:
    """Take over what a release shows into a history that is empty: a rebuild forgets nothing.

    Returns:
        Days taken over; 0 where the history was not empty.
    """
    if not is_empty(connection):
        return 0
    connection.execute(f"attach {literal(str(release_file))} as shown (read_only)")
    try:
        connection.execute("begin")
        for table, mart in SHOWN.items():
            _append_days(connection, table, mart, "shown")
        if "valid_from" in tables.read_columns(connection, "shown", "meta.configuration"):
            connection.execute(
                "insert into history.configuration by name from shown.meta.configuration"
            )
        connection.execute("commit")
    finally:
        connection.execute("detach shown")
    row = connection.execute(
        "select count(distinct day) from history.account_metrics_daily"
    ).fetchone()
    return int(row[0]) if row else 0


def is_empty(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether no release was ever recorded and no day was ever shown."""
    row = connection.execute(
        "select (select count(*) from history.releases) "
        "+ (select count(*) from history.account_metrics_daily)"
    ).fetchone()
    return row is None or row[0] == 0


def _append_days(connection: duckdb.DuckDBPyConnection, table: str, mart: str, catalog: str) -> int:
    told = tables.read_columns(connection, catalog, mart)
    if not told:  # an older release, or a part of the warehouse, that has no such mart
        return 0
    present = tables.read_columns(connection, "build", f"history.{table}")
    for column, data_type in told.items():
        if column not in present:
            connection.execute(f'alter table history.{table} add column "{column}" {data_type}')
    row = connection.execute(
        f"insert into history.{table} by name select * from {catalog}.{mart} where day > "
        f"(select coalesce(max(day), date '0001-01-01') from history.{table})"
    ).fetchone()
    return int(row[0]) if row else 0
