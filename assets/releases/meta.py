"""The tables of a release's `meta` schema: what it is, what was checked, what was set aside."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import duckdb

from assets.releases import history, tables

if TYPE_CHECKING:
    from assets.releases.publishing import CheckResult

# One entry per column: name, type, meaning.
_RELEASES = (
    ("sequence", "bigint", "Place in the order of publication."),
    ("release_id", "varchar", "Name of the release's folder."),
    ("as_of", "timestamptz", "The as-of instant of its run."),
    ("published_at", "timestamptz", "Wall clock at publication."),
    ("code_version", "varchar", "Version and fingerprint of the code."),
    ("configuration_version", "varchar", "Fingerprint of the seeds."),
)
_CHECKS = (
    ("check_name", "varchar", "The check's name."),
    ("asset", "varchar", "What it judged, as schema/table."),
    ("severity", "varchar", "block: red stops a release; warn: it is shown and nothing stops."),
    ("is_passed", "boolean", "Whether it passed."),
    ("summary", "varchar", "What it said."),
)
_CHECK_RESULTS = (
    ("run_id", "The run."),
    ("job", "Its job: daily makes a release, alerts evaluates it."),
    ("as_of", "The as-of instant that it was for."),
    ("ended_at", "Wall clock at its end."),
    ("check_key", "The check, as schema/table/name."),
    ("layer", "Where it stands: raw, seeds, staging, intermediate, marts, alerts."),
    ("asset", "What it judged, as schema/table."),
    ("check_name", "The check's name."),
    ("severity", "block: red stops a release; warn and info: it is shown and nothing stops."),
    ("is_passed", "Whether it passed."),
    ("summary", "What it said."),
    ("rows_failed", "Rows that failed; empty where it counts none."),
    ("rows_tested", "Of so many: a batch's, or those of the model that it stands on."),
    ("failing_rows", "Up to 20 of them, as JSON; personal data masked."),
    ("failing_since", "End of the first of its red runs in a row, wall clock; empty if green."),
    ("last_green_at", "End of its last green run, wall clock."),
    ("owner", "Whose the asset is."),
    ("means", "What is so where it is green."),
    ("what_to_do", "What to do where it is red."),
)
_CONFIGURATION = (
    ("version", "Fingerprint of all seeds."),
    ("file", "The seed file."),
    ("row", "Row number in it; the header is not counted."),
    ("column_name", "The column."),
    ("value", "The text of the cell."),
    ("valid_from_release", "The first release that was made with this version."),
    ("valid_from", "Its as-of instant; a version is valid until the next one's."),
    ("who", "Who says so in the lines that it added to configuration_changes.csv; NULL if none."),
)
_COPIED = {
    "check_results": (
        "ledger.check_results",
        "One row per check of every run before this release's own (meta.checks), red runs too.",
    ),
    "quarantine": (
        "landing.quarantine",
        "One row per row that was set aside, with its file, line, column and reason.",
    ),
    "deliveries": (
        "landing.deliveries",
        "One row per delivery (table, path, content): what each file brought and when it is known.",
    ),
    "configuration": (
        "history.configuration",
        (
            "One row per version and cell of the seeds: what was configured in a release, or on "
            "a day, "
            "is a query."
        ),
    ),
}


def write_meta(
    connection: duckdb.DuckDBPyConnection,
    checks: Sequence["CheckResult"],
    record: history.ReleaseRecord,
) -> None:
    """Fill `release.meta`: releases (this one included), checks, quarantine, deliveries, seeds."""
    _create(connection, "releases", "One row per release that was published.", _RELEASES)
    names = [column[0] for column in _RELEASES]
    connection.execute(
        f"insert into release.meta.releases select {', '.join(names)} from history.releases"
    )
    connection.execute(
        "insert into release.meta.releases values (?, ?, ?, ?, ?, ?)",
        [getattr(record, name) for name in names],
    )
    _create(
        connection, "checks", "One row per check that this release passed or warns of.", _CHECKS
    )
    connection.execute(
        "insert into release.meta.checks "
        "select unnest(?::varchar[]), unnest(?::varchar[]), unnest(?::varchar[]), "
        "unnest(?::boolean[]), unnest(?::varchar[])",
        [
            [check.check for check in checks],
            [check.asset for check in checks],
            [check.severity for check in checks],
            [check.passed for check in checks],
            [check.summary for check in checks],
        ],
    )
    for name, (origin, description) in _COPIED.items():
        connection.execute(f"create or replace table release.meta.{name} as from build.{origin}")
        tables.comment_on_table(connection, f"meta.{name}", description)
        _comment_like(connection, name, origin)
    tables.comment_on_columns(connection, "meta.check_results", _CHECK_RESULTS)
    history.remember_configuration(connection, record, "release.meta.configuration")
    tables.comment_on_columns(connection, "meta.configuration", _CONFIGURATION)


def read_watermarks(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Per source, the last day whose data it had delivered, ISO."""
    rows = connection.execute(
        "select source_name, cast(max(watermark_on) as varchar) "
        "from intermediate.int_source_watermarks_daily group by source_name order by source_name"
    ).fetchall()
    return dict(rows)


def count_quarantined(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Quarantined rows per contract table that has any."""
    rows = connection.execute(
        "select source || '.' || table_name, count(*) from landing.quarantine group by 1 order by 1"
    ).fetchall()
    return dict(rows)


def read_last_delivery(connection: duckdb.DuckDBPyConnection) -> int:
    """Number of the newest delivery that the build holds; 0 where nothing has landed."""
    row = connection.execute(
        "select coalesce(max(delivery_id), 0) from landing.deliveries"
    ).fetchone()
    return int(row[0]) if row else 0


def _create(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    description: str,
    columns: Sequence[tuple[str, str, str]],
) -> None:
    definition = ", ".join(f"{column} {data_type}" for column, data_type, _ in columns)
    connection.execute(f"create or replace table release.meta.{name} ({definition})")
    tables.comment_on_table(connection, f"meta.{name}", description)
    tables.comment_on_columns(
        connection, f"meta.{name}", [(column, meaning) for column, _, meaning in columns]
    )


def _comment_like(connection: duckdb.DuckDBPyConnection, name: str, origin: str) -> None:
    schema, table = origin.split(".")
    columns = connection.execute(
        "select column_name, coalesce(comment, '') from duckdb_columns() "
        "where database_name = 'build' and schema_name = ? and table_name = ?",
        [schema, table],
    ).fetchall()
    tables.comment_on_columns(connection, f"meta.{name}", columns)
