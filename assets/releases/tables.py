"""Copy marts into a release file, with their comments, rows and content hashes."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import duckdb

from assets.sql_text import literal
from assets.transactions import transaction

SUBJECT_SCHEMAS = ("accounts", "revenue", "usage", "support", "health", "alerts")
META_SCHEMA = "meta"
# From so many rows on a table is told month by month from what the last release has of it: to read
# both takes a fifth of the time that writing it takes.
LONG_ROWS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class TableCopy:
    """One table of a release.

    Attributes:
        name: `schema.table`.
        rows: Number of rows.
        bytes: Bytes of the blocks that hold it, as DuckDB counts them.
        content_hash: Sum over the rows of DuckDB's hash of the row, modulo 2^64, in hex: it does
            not depend on the order of rows (spec 00, "Equal again"). Hashes compare within one
            version of the engine, which the manifest names: a hash that any engine gives, such
            as md5 of a row's text, took fifteen times as long, half of a small release.
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


def has_long(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether a mart of the build is so long that what the last release has of it is worth much."""
    return bool(_list_long(connection) & set(list_marts(connection)))


def copy_tables(connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> None:
    """Bring the tables of the attached `release` to what the build has, with the comments on them.

    Where it begins as a copy of another release, the long tables of that one are kept but for the
    months that read otherwise now. `create table as` loses comments. All in one transaction: each
    table, each of a wide table's hundred comments would be a write to disk of its own.
    """
    said = dict(
        connection.execute(
            "select schema_name || '.' || table_name, coalesce(comment, '') from duckdb_tables() "
            "where database_name = 'build'"
        ).fetchall()
    )
    columns: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for name, column, comment in connection.execute(
        "select schema_name || '.' || table_name, column_name, coalesce(comment, '') "
        "from duckdb_columns() where database_name = 'build'"
    ).fetchall():
        columns[name].append((column, comment))
    long = _list_long(connection)
    with transaction(connection):
        for schema in (*SUBJECT_SCHEMAS, META_SCHEMA):
            connection.execute(f"create schema if not exists release.{schema}")
        for (gone,) in connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() "
            "where database_name = 'release' and not list_contains(?, schema_name || '.' || "
            "table_name)",
            [list(names)],
        ).fetchall():
            connection.execute(f"drop table release.{gone}")
        for name in names:
            if name not in long or renew_months(connection, name) is None:
                connection.execute(f"create or replace table release.{name} as from build.{name}")
            comment_on_table(connection, name, said[name])
            comment_on_columns(connection, name, columns[name])


def renew_months(connection: duckdb.DuckDBPyConnection, name: str) -> list[date] | None:
    """Replace what the release has of the months whose rows read otherwise in the build.

    A row is of the month of its first date; rows without one are a month of their own. Months are
    compared by their number of rows and the sum of their rows' hashes.

    Returns:
        The first days of the months that were replaced. None, and nothing done, where the release
        has no such table of these columns, or they have no date.
    """
    columns = read_columns(connection, "build", name)
    dates = [column for column, kind in columns.items() if kind == "DATE"]
    is_alike = list(columns.items()) == list(read_columns(connection, "release", name).items())
    if not (dates and is_alike):
        return None
    month = f"coalesce(cast(date_trunc('month', \"{dates[0]}\") as date), date '0001-01-01')"
    sums = (
        f"select {month} as month, count(*) as rows, sum(hash(t)) as content from {{}}.{name} as t "
        "group by all"
    )
    changed = connection.execute(
        f"select coalesce(new.month, old.month) from ({sums.format('build')}) as new "
        f"full join ({sums.format('release')}) as old on new.month = old.month "
        "where new.rows is distinct from old.rows or new.content is distinct from old.content "
        "order by all"
    ).fetchall()
    months = [row[0] for row in changed]
    of_them = f"{month} in (select unnest(?::date[]))"
    connection.execute(f"delete from release.{name} where {of_them}", [months])
    connection.execute(
        f"insert into release.{name} select * from build.{name} where {of_them}", [months]
    )
    return months


def _list_long(connection: duckdb.DuckDBPyConnection) -> set[str]:
    rows = connection.execute(
        "select schema_name || '.' || table_name from duckdb_tables() "
        "where database_name = 'build' and estimated_size >= ?",
        [LONG_ROWS],
    ).fetchall()
    return {row[0] for row in rows}


def comment_on_table(connection: duckdb.DuckDBPyConnection, name: str, comment: str) -> None:
    """Set a table's comment in the attached release."""
    connection.execute(f"comment on table release.{name} is {literal(comment)}")


def comment_on_columns(
    connection: duckdb.DuckDBPyConnection, name: str, comments: Sequence[tuple[str, str]]
) -> None:
    """Set the comments of a table's columns in the attached release."""
    for column, comment in comments:
        connection.execute(f'comment on column release.{name}."{column}" is {literal(comment)}')


def measure_table(connection: duckdb.DuckDBPyConnection, name: str) -> TableCopy:
    """Rows, bytes and content hash of a table in the attached release, after a checkpoint."""
    row = connection.execute(
        f"select count(*), coalesce(sum(hash(t)), 0) from release.{name} as t"
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


def read_columns(connection: duckdb.DuckDBPyConnection, catalog: str, name: str) -> dict[str, str]:
    """Columns of a catalog's `schema.table` with their types, in order; none if it isn't there."""
    schema, table = name.split(".")
    rows: Sequence[tuple[str, str]] = connection.execute(
        "select column_name, data_type from duckdb_columns() "
        "where database_name = ? and schema_name = ? and table_name = ? order by column_index",
        [catalog, schema, table],
    ).fetchall()
    return dict(rows)
