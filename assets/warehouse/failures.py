"""What a failed dbt test found: the first rows, with personal data masked."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

SAMPLE_ROWS = 20


@dataclass(frozen=True, kw_only=True)
class FailingRows:
    """The rows that a test found.

    Attributes:
        total: How many there are.
        columns: Their columns.
        rows: The first of them, as text.
    """

    total: int
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def failing_queries(run_results: Mapping[str, Any]) -> dict[str, str]:
    """The SQL of each test that found something, by dbt's unique id, from `run_results.json`."""
    return {
        result["unique_id"]: result["compiled_code"]
        for result in run_results["results"]
        if result["status"] in ("fail", "warn") and result.get("compiled_code")
    }


def broken_nodes(run_results: Mapping[str, Any]) -> list[str]:
    """What dbt could not run at all, from `run_results.json`: its name and why, on one line."""
    return [
        f"{result['unique_id'].split('.')[2]}: {' '.join(str(result.get('message')).split())}"
        for result in run_results["results"]
        if result["status"] in ("error", "runtime error")
    ]


def personal_columns(manifest: Mapping[str, Any]) -> frozenset[str]:
    """The columns that the models mark as personal data, by name, from dbt's manifest."""
    return frozenset(
        name
        for node in manifest["nodes"].values()
        for name, column in node.get("columns", {}).items()
        if column.get("config", {}).get("meta", {}).get("personal")
    )


def read_failing_rows(
    connection: duckdb.DuckDBPyConnection, query: str, personal: Collection[str]
) -> FailingRows:
    """Ask a failed test's own query once more, for the rows that it counted.

    Args:
        connection: The build.
        query: The test's SQL as dbt compiled it.
        personal: Columns whose values are masked.
    """
    found = connection.execute(f"select * from ({query}) limit {SAMPLE_ROWS}")
    columns = tuple(column[0] for column in found.description or ())
    rows = tuple(
        tuple(
            "***" if column in personal else str(value)
            for column, value in zip(columns, row, strict=True)
        )
        for row in found.fetchall()
    )
    counted = connection.execute(f"select count(*) from ({query})").fetchone()
    return FailingRows(total=counted[0] if counted else 0, columns=columns, rows=rows)


def count_rows(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Rows of every table of the build, by `schema/table`; a view is counted as nothing."""
    rows = connection.execute(
        "select schema_name || '/' || table_name, estimated_size from duckdb_tables() "
        "where database_name = 'build'"
    ).fetchall()
    return {address: int(size or 0) for address, size in rows}
