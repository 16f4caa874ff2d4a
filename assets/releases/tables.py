"""Copy marts into a release file, with their comments, rows and content hashes."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from assets.transactions import transaction

SUBJECT_SCHEMAS = ("accounts", "revenue", "usage", "support", "health", "alerts")
META_SCHEMA = "meta"


@dataclass(frozen=True, kw_only=True)
class TableCopy:
    """One table of a release.

    Attributes:
        name: `schema.table`.
        rows: Number of rows.
        bytes: Bytes of the blocks that hold it, as DuckDB counts them.
        content_hash: Sum over the rows of 64 bits of the row's md5, modulo 2^64, in hex: it does
            not depend on the order of rows (spec 00, "Equal again").
    """

    name: str
    rows: int
    bytes: int
    content_hash: str


def list_marts(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """`schema.table` of every mart in the build, in order."""
    rows = connection.execute(
        "select schema_name || '.' || table_name from duckdb_tables() "
        "where database_name = 'build' and (list_contains(?, schema_name) or schema_name = ?) "
        "order by all",
        [list(SUBJECT_SCHEMAS), META_SCHEMA],
    ).fetchall()
    return [row[0] for row in rows]


def copy_table(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Copy a table of the build into the attached `release`, comments included.

    In one transaction: each of a wide table's hundred comments would be a write to disk of its own.
    """
    with transaction(connection):
        connection.execute(f"create table release.{name} as from build.{name}")
        _copy_comments(connection, name)


def _copy_comments(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Carry the comments of a table and its columns over: `create table as` loses them."""
    schema, table = name.split(".")
    row = connection.execute(
        "select comment from duckdb_tables() "
        "where database_name = 'build' and schema_name = ? and table_name = ?",
        [schema, table],
    ).fetchone()
    comment_on_table(connection, name, row[0] if row and row[0] else "")
    columns = connection.execute(
        "select column_name, coalesce(comment, '') from duckdb_columns() "
        "where database_name = 'build' and schema_name = ? and table_name = ?",
        [schema, table],
    ).fetchall()
    comment_on_columns(connection, name, columns)


def comment_on_table(connection: duckdb.DuckDBPyConnection, name: str, comment: str) -> None:
    """Set a table's comment in the attached release."""
    connection.execute(f"comment on table release.{name} is {_quoted(comment)}")


def comment_on_columns(
    connection: duckdb.DuckDBPyConnection, name: str, comments: Sequence[tuple[str, str]]
) -> None:
    """Set the comments of a table's columns in the attached release."""
    for column, comment in comments:
        connection.execute(f'comment on column release.{name}."{column}" is {_quoted(comment)}')


def measure_table(connection: duckdb.DuckDBPyConnection, name: str) -> TableCopy:
    """Rows, bytes and content hash of a table in the attached release, after a checkpoint."""
    row = connection.execute(
        "select count(*), coalesce(sum(md5_number_lower(cast(to_json(t) as varchar))), 0) "
        f"from release.{name} as t"
    ).fetchone()
    rows, total = row if row else (0, 0)
    return TableCopy(
        name=name,
        rows=int(rows),
        bytes=_stored_bytes(connection, name),
        content_hash=f"{int(total) % 2**64:016x}",
    )


def _stored_bytes(connection: duckdb.DuckDBPyConnection, name: str) -> int:
    row = connection.execute(
        "select count(distinct block_id) * 262144 "
        f"from pragma_storage_info('release.{name}') where block_id >= 0"
    ).fetchone()
    return int(row[0]) if row else 0


def _quoted(text: str) -> str:
    # COMMENT ON takes no parameters; the texts are descriptions from the repository.
    return "'" + text.replace("'", "''") + "'"
