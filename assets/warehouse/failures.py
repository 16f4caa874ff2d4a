"""What a failed dbt test found: the first rows, with personal data masked."""

from collections.abc import Collection
from dataclasses import dataclass

import duckdb

SAMPLE_ROWS = 20


@dataclass(frozen=True, kw_only=True)
class FailingRows:
    """The rows that a test stored.

    Attributes:
        total: How many there are.
        columns: Their columns.
        rows: The first of them, as text.
    """

    total: int
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def read_failing_rows(
    connection: duckdb.DuckDBPyConnection, relation: str, personal: Collection[str]
) -> FailingRows:
    """Read what a test stored in a relation of the build.

    Args:
        connection: The build.
        relation: The quoted relation, from dbt's manifest.
        personal: Columns whose values are masked.
    """
    found = connection.execute(f"select * from {relation} limit {SAMPLE_ROWS}")
    columns = tuple(column[0] for column in found.description or ())
    rows = tuple(
        tuple(
            "***" if column in personal else str(value)
            for column, value in zip(columns, row, strict=True)
        )
        for row in found.fetchall()
    )
    counted = connection.execute(f"select count(*) from {relation}").fetchone()
    return FailingRows(total=counted[0] if counted else 0, columns=columns, rows=rows)


def count_rows(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Rows of every table of the build, by `schema/table`; a view is counted as nothing."""
    rows = connection.execute(
        "select schema_name || '/' || table_name, estimated_size from duckdb_tables() "
        "where database_name = 'build'"
    ).fetchall()
    return {address: int(size or 0) for address, size in rows}
