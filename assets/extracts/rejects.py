"""The temporary books of one file's rejected rows: their line, text and the rule they broke."""

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb

from assets.extracts.casting import TOO_OLD
from assets.extracts.records import LONGEST, Record
from assets.extracts.staged import RECORD, ROW, Scan, Staged
from assets.extracts.statements import Reading
from assets.sql_text import quoted

REJECTS = "_rejects"
FOUND = "_found"


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
    """Drops all temporary tables and views of a staged file."""
    for suffix in ("", REJECTS, FOUND):
        name = quoted(table + suffix)
        try:
            connection.execute(f"drop table if exists temp.{name}")
        except duckdb.CatalogException:
            # A file that is read twice is staged as a view.
            connection.execute(f"drop view temp.{name}")


def found_line(record: Record, text: bytes) -> str:
    """A line of the file in which found records wait; in hex, so that any text gets through."""
    problem, said = ((part or "").encode().hex() for part in (record.problem, _readable(text)))
    return f"{record.number},{record.line},{problem},{said}\n"


def _readable(text: bytes) -> str:
    return text.decode("utf-8", "replace")


def load_found(connection: duckdb.DuckDBPyConnection, table: str, path: Path) -> None:
    """Reads what `found_line` wrote into the table of found records, in place of what it had."""
    connection.execute(f"delete from temp.{quoted(table + FOUND)}")  # noqa: S608
    connection.execute(
        f"""
        insert into temp.{quoted(table + FOUND)}
        select
            row_number, line, nullif(decode(from_hex(coalesce(problem, ''))), ''),
            decode(from_hex(coalesce(raw_text, '')))
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
    """The numbers of the records with a row that broke a rule, in order, a thousand at a time."""
    result = connection.execute(
        f"select distinct {RECORD} from temp.{quoted(table)} "  # noqa: S608
        "where _broken is not null order by 1"
    )
    while rows := result.fetchmany(1000):
        yield from (int(row[0]) for row in rows)


def set_aside(
    connection: duckdb.DuckDBPyConnection, reading: Reading, *, scan: Scan | None = None
) -> Staged:
    """Moves what broke a rule to the rejects, with the rule in words, and counts."""
    table = reading.table
    staged, broken = connection.execute(
        f"select count(*), count(_broken) from temp.{quoted(table)}"  # noqa: S608
    ).fetchall()[0]
    if broken:
        _add_rejects(connection, reading, is_view=scan is not None)
    rejected = count(connection, table + REJECTS)
    accepted = int(staged) - int(broken)
    return Staged(
        rows=table,
        rejects=table + REJECTS,
        rows_read=accepted + rejected,
        rows_rejected=rejected,
        file_columns=reading.described,
        scan=scan,
    )


def _add_rejects(connection: duckdb.DuckDBPyConnection, reading: Reading, *, is_view: bool) -> None:
    """Books the rows that broke a rule; what retention would take out is not kept here either."""
    number, record = ("_row", "_record") if is_view else (ROW, RECORD)
    said = ", ".join(["(?, ?, ?, ?)"] * len(reading.rules))
    values = [
        v for n, rule in enumerate(reading.rules) for v in (n, rule.column, rule.rule, rule.says)
    ]
    offending = "coalesce(' ''' || left(staged._offending, 80) || '''', '')"
    connection.execute(
        f"""
        insert into temp.{quoted(reading.table + REJECTS)}
        select
            staged._in_file,
            coalesce(found.line, staged._of_record),
            rules.column_name,
            rules.rule,
            rules.column_name || {offending} || ' ' || rules.says,
            case
                when rules.rule = '{TOO_OLD}' then '' else coalesce(found.raw_text, staged._raw)
            end,
            staged._key_text
        from (
            select *, {number} as _in_file, {record} as _of_record
            from temp.{quoted(reading.table)} where _broken is not null
        ) as staged
        inner join (values {said}) as rules (number, column_name, rule, says)
            on staged._broken = rules.number
        left join temp.{quoted(reading.table + FOUND)} as found
            on staged._of_record = found.row_number
        order by staged._in_file
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
