"""The temporary books of one file's rejected rows: their line, text and the rule they broke."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from assets.extracts import casting
from assets.extracts.casting import quoted
from assets.extracts.records import LONGEST, Record
from assets.extracts.statements import Reading

REJECTS = "_rejects"
FOUND = "_found"
ROW_NUMBER = "coalesce(_row, rowid + 1)"


@dataclass(frozen=True, kw_only=True)
class Staged:
    """A file that was read: the temporary tables of its rows and of those set aside."""

    rows: str
    rejects: str
    rows_read: int
    rows_rejected: int


def create_books(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Empty tables for the rejects of a file and for the records found in its text."""
    connection.execute(
        f"""
        create or replace temp table {quoted(table + REJECTS)} (
            row_number bigint, line bigint, column_name varchar, rule varchar, reason varchar,
            raw_text varchar, key_text varchar
        )
        """
    )
    connection.execute(
        f"""
        create or replace temp table {quoted(table + FOUND)} (
            row_number bigint, line bigint, problem varchar, raw_text varchar
        )
        """
    )


def drop_books(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Drops all temporary tables of a staged file."""
    for suffix in ("", REJECTS, FOUND):
        connection.execute(f"drop table if exists temp.{quoted(table + suffix)}")


def found_line(record: Record) -> str:
    """A line of the file in which found records wait; in hex, so that any text gets through."""
    text = record.text.decode("utf-8", "replace").encode().hex()
    return f"{record.number},{record.line},{record.problem or ''},{text}\n"


def load_found(connection: duckdb.DuckDBPyConnection, table: str, path: Path) -> None:
    """Reads what `found_line` wrote into the table of found records, in place of what it had."""
    connection.execute(f"delete from temp.{quoted(table + FOUND)}")  # noqa: S608
    connection.execute(
        f"""
        insert into temp.{quoted(table + FOUND)}
        select row_number, line, problem, decode(from_hex(coalesce(raw_text, '')))
        from read_csv(
            ?, auto_detect = false, header = false, delim = ',', max_line_size = {3 * LONGEST},
            columns = {{
                row_number: 'BIGINT', line: 'BIGINT', problem: 'VARCHAR', raw_text: 'VARCHAR'
            }}
        )
        """,  # noqa: S608
        [escaped(path)],
    )


def set_shapes_aside(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Moves the found records to the rejects: they have no shape that could be read."""
    connection.execute(
        f"""
        insert into temp.{quoted(table + REJECTS)}
        select row_number, line, null, 'shape', problem, raw_text, null
        from temp.{quoted(table + FOUND)} order by row_number
        """  # noqa: S608
    )


def broken_rows(connection: duckdb.DuckDBPyConnection, table: str) -> Iterator[int]:
    """The numbers of the rows that broke a rule, in order, a thousand at a time."""
    result = connection.execute(
        f"select {ROW_NUMBER} from temp.{quoted(table)} "  # noqa: S608
        "where _broken is not null order by 1"
    )
    while rows := result.fetchmany(1000):
        yield from (int(row[0]) for row in rows)


def set_aside(connection: duckdb.DuckDBPyConnection, reading: Reading) -> Staged:
    """Moves what broke a rule to the rejects, with the rule in words, and counts."""
    table = reading.table
    if count(connection, table, "_broken is not null"):
        _add_rejects(connection, reading)
    rejected = count(connection, table + REJECTS)
    accepted = count(connection, table, "_broken is null")
    return Staged(
        rows=table,
        rejects=table + REJECTS,
        rows_read=accepted + rejected,
        rows_rejected=rejected,
    )


def _add_rejects(connection: duckdb.DuckDBPyConnection, reading: Reading) -> None:
    rules = casting.rules(reading.contract, reading.plan)
    said = ", ".join(["(?, ?, ?, ?)"] * len(rules))
    values = [v for n, rule in enumerate(rules) for v in (n, rule.column, rule.rule, rule.says)]
    offending = "coalesce(' ''' || left(staged._offending, 80) || '''', '')"
    connection.execute(
        f"""
        insert into temp.{quoted(reading.table + REJECTS)}
        select
            coalesce(staged._row, staged.rowid + 1) as row_number,
            coalesce(found.line, staged.rowid + 1),
            rules.column_name,
            rules.rule,
            rules.column_name || {offending} || ' ' || rules.says,
            coalesce(found.raw_text, staged._raw),
            staged._key_text
        from temp.{quoted(reading.table)} as staged
        inner join (values {said}) as rules (number, column_name, rule, says)
            on staged._broken = rules.number
        left join temp.{quoted(reading.table + FOUND)} as found
            on coalesce(staged._row, staged.rowid + 1) = found.row_number
        where staged._broken is not null
        order by row_number
        """,  # noqa: S608
        values,
    )


def count(connection: duckdb.DuckDBPyConnection, table: str, condition: str = "true") -> int:
    """How many rows of a temporary table keep a condition."""
    row = connection.execute(
        f"select count(*) from temp.{quoted(table)} where {condition}"  # noqa: S608
    ).fetchone()
    return 0 if row is None else int(row[0])


def escaped(path: Path) -> str:
    """A path with nothing in it that DuckDB would take for a pattern."""
    return re.sub(r"([*?\[])", r"[\1]", path.as_posix())
