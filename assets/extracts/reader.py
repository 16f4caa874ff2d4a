"""Reads one file into a temporary table: typed, judged row by row, in the file's order.

The fast path is one SQL statement over DuckDB's CSV or Parquet reader. A CSV that breaks the
format somewhere is cut into records here (see records.py), and its good ones take the same way.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb

from assets.extracts.casting import literal, quoted
from assets.extracts.contracts import Contract
from assets.extracts.errors import RefusedFileError
from assets.extracts.inspection import DELIMITERS, Inspection, header, likely_delimiter
from assets.extracts.landing import LandedFile
from assets.extracts.profiles import ReadPlan
from assets.extracts.records import Record, read_records
from assets.extracts.rejects import (
    Staged,
    broken_rows,
    count,
    create_books,
    escaped,
    found_line,
    load_found,
    set_aside,
    set_shapes_aside,
)
from assets.extracts.statements import Reading, statement

PARQUET = "read_parquet(?, hive_partitioning = false)"


def stage(
    connection: duckdb.DuckDBPyConnection,
    *,
    file: LandedFile,
    inspection: Inspection,
    contract: Contract,
    plan: ReadPlan,
    table: str,
) -> Staged:
    """Reads a file into the temporary tables `table` and `table`_rejects.

    Raises:
        RefusedFileError: the file can't be read at all; nothing of it is staged then.
    """
    names = _names(connection, file, inspection, plan)
    _refuse_wrong_columns(file, inspection, contract, plan, names)
    reading = Reading(
        file=file, inspection=inspection, contract=contract, plan=plan, names=names, table=table
    )
    create_books(connection, table)
    if file.kind == "parquet":
        return _stage_parquet(connection, reading)
    with tempfile.TemporaryDirectory(prefix="csw-") as scratch:
        return _stage_csv(connection, reading, Path(scratch))


def _names(
    connection: duckdb.DuckDBPyConnection,
    file: LandedFile,
    inspection: Inspection,
    plan: ReadPlan,
) -> tuple[str, ...]:
    if file.kind != "parquet":
        return header(file, inspection.header_text, plan.delimiter)
    try:
        rows = connection.execute(
            f"select column_name from (describe select * from {PARQUET})",  # noqa: S608
            [escaped(file.location)],
        ).fetchall()
    except duckdb.Error as error:
        raise _unreadable_parquet(file, error) from error
    return tuple(str(row[0]) for row in rows)


def _refuse_wrong_columns(
    file: LandedFile,
    inspection: Inspection,
    contract: Contract,
    plan: ReadPlan,
    names: tuple[str, ...],
) -> None:
    """Raises RefusedFileError for a column named twice, or a required one that is missing."""
    place = file.path if file.kind == "parquet" else f"{file.path}, line 1"
    for name in names:
        if names.count(name) > 1:
            raise RefusedFileError(f"{place}: the column {name} is there twice; keep one of them.")
    wanted = _required_cells(contract, plan)
    missing = [name for name in wanted if name not in names]
    if not missing:
        return
    found = likely_delimiter(inspection.header_text, set(wanted)) if len(names) < 2 else None
    if found is not None:
        raise RefusedFileError(
            f"{place}: the columns are separated by {DELIMITERS[found]}, not by "
            f"{DELIMITERS.get(plan.delimiter, repr(plan.delimiter))}; write the file so, or say "
            f"delimiter: {found!r} for {contract.name} in the profile."
        )
    column = wanted[missing[0]]
    read_as = "" if column == missing[0] else f" (read as {column} by profile {plan.profile})"
    raise RefusedFileError(
        f"{place}: the required column {missing[0]}{read_as} is missing; "
        "deliver it, or name the column that holds it in the profile."
    )


def _required_cells(contract: Contract, plan: ReadPlan) -> dict[str, str]:
    """The file's columns that must be there, each with the contract column that needs it."""
    needs = (
        (column.name, plan.column(column.name)) for column in contract.columns if column.required
    )
    return {cell: name for name, how in needs if how is not None for cell in how.source or ()}


# Parquet


def _stage_parquet(connection: duckdb.DuckDBPyConnection, reading: Reading) -> Staged:
    try:
        types = connection.execute(
            f"select column_name, column_type from (describe select * from {PARQUET})",  # noqa: S608
            [escaped(reading.file.location)],
        ).fetchall()
        cells = ", ".join(f"{_as_text(n, t)} as c{i}" for i, (n, t) in enumerate(types))
        row = ", ".join(f"{literal(name)}, c{i}" for i, (name, _) in enumerate(types))
        relation = PARQUET.replace("?", literal(escaped(reading.file.location)))
        source = f"select cast(null as bigint) as _number, {cells} from {relation}"  # noqa: S608
        connection.execute(statement(reading, source, raw=f"json_object({row})"))
    except (duckdb.InvalidInputException, duckdb.IOException) as error:
        raise _unreadable_parquet(reading.file, error) from error
    return set_aside(connection, reading)


def _as_text(name: str, duckdb_type: str) -> str:
    nested = duckdb_type.startswith(("STRUCT", "MAP")) or duckdb_type.endswith("]")
    value = f"to_json({quoted(name)})" if nested else quoted(name)
    return f"cast({value} as varchar)"


def _unreadable_parquet(file: LandedFile, error: Exception) -> RefusedFileError:
    said = " ".join(str(error).split())[:200]
    return RefusedFileError(f"{file.path}: cannot be read as Parquet ({said}); deliver it again.")


# CSV


def _stage_csv(connection: duckdb.DuckDBPyConnection, reading: Reading, scratch: Path) -> Staged:
    try:
        connection.execute(statement(reading, _read_csv(reading, reading.file.location)))
    except duckdb.InvalidInputException:
        return _stage_carefully(connection, reading, scratch)
    if not count(connection, reading.table):
        # A file without rows is small, or DuckDB took them for a part of something else.
        return _stage_carefully(connection, reading, scratch)
    has_broken = count(connection, reading.table, "_broken is not null") > 0
    if has_broken and not _locate(connection, reading, scratch, is_cut=False):
        return _stage_carefully(connection, reading, scratch)
    return set_aside(connection, reading)


def _read_csv(reading: Reading, path: Path, *, is_cut: bool = False) -> str:
    """The SQL that reads a CSV as text; one that was cut has each record's number before it."""
    cells = [f"c{n}" for n in range(len(reading.names))]
    columns = ", ".join(f"{cell}: 'VARCHAR'" for cell in cells)
    number = "_number: 'BIGINT', " if is_cut else ""
    compression = "gzip" if reading.file.kind == "csv.gz" and not is_cut else "none"
    return f"""
        select {"" if is_cut else "cast(null as bigint) as "}_number, {", ".join(cells)}
        from read_csv(
            {literal(escaped(path))}, auto_detect = false, header = {str(not is_cut).lower()},
            delim = {literal(reading.plan.delimiter)}, quote = '"', escape = '"',
            strict_mode = true, columns = {{{number}{columns}}}, compression = '{compression}',
            hive_partitioning = false
        )
    """  # noqa: S608


def _stage_carefully(
    connection: duckdb.DuckDBPyConnection, reading: Reading, scratch: Path
) -> Staged:
    """Cuts the file into records; the sound ones are read as ever, the others set aside."""
    sound = scratch / "sound.csv"
    accepted = _cut(connection, reading, scratch, sound)
    try:
        connection.execute(statement(reading, _read_csv(reading, sound, is_cut=True)))
    except duckdb.InvalidInputException as error:
        raise _unreadable_csv(reading.file) from error
    if count(connection, reading.table) != accepted:
        raise _unreadable_csv(reading.file)
    if not _locate(connection, reading, scratch, is_cut=True):
        raise _unreadable_csv(reading.file)
    return set_aside(connection, reading)


def _cut(
    connection: duckdb.DuckDBPyConnection, reading: Reading, scratch: Path, sound: Path
) -> int:
    """Writes the sound records with their numbers, sets the others aside; how many are sound."""
    shapes = scratch / "shapes.csv"
    prefix = reading.plan.delimiter.encode()
    accepted = 0
    with sound.open("wb") as good, shapes.open("w", encoding="utf-8") as bad:
        for record in _records(reading):
            if record.problem is None:
                good.write(b"%d%s%s\n" % (record.number, prefix, record.text))
                accepted += 1
            else:
                bad.write(found_line(record))
    load_found(connection, reading.table, shapes)
    set_shapes_aside(connection, reading.table)
    return accepted


def _records(reading: Reading) -> Iterator[Record]:
    return read_records(reading.file, delimiter=reading.plan.delimiter, width=len(reading.names))


def _unreadable_csv(file: LandedFile) -> RefusedFileError:
    return RefusedFileError(
        f"{file.path}: cannot be read as CSV (quotes and line ends contradict each other); "
        "write it as RFC 4180 says."
    )


def _locate(
    connection: duckdb.DuckDBPyConnection, reading: Reading, scratch: Path, *, is_cut: bool
) -> bool:
    """Finds line and text of the rows that broke a rule; False where the records don't tally."""
    staged = count(connection, reading.table)
    wanted = broken_rows(connection, reading.table)
    target = next(wanted, None)
    located = scratch / "located.csv"
    tally = 0
    with located.open("w", encoding="utf-8") as found:
        for record in _records(reading):
            if record.problem is not None and not is_cut:
                return False
            tally += record.problem is None
            if record.number == target:
                found.write(found_line(record))
                target = next(wanted, None)
    if tally == staged:
        load_found(connection, reading.table, located)
    return tally == staged
