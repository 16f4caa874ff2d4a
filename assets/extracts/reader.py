"""Reads one file into a temporary table: typed, judged row by row, in the file's order.

The fast path is one SQL statement over DuckDB's own readers. A text file that breaks its format
somewhere is cut into records here (see records.py), and its good ones take the same way.
"""

import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import duckdb

from assets.extracts.contracts import Contract
from assets.extracts.errors import RefusedFileError
from assets.extracts.formats import Layout, layout, unreadable_parquet
from assets.extracts.inspection import DELIMITERS, Inspection, likely_delimiter
from assets.extracts.landing import LandedFile
from assets.extracts.places import place_in
from assets.extracts.profiles import OR, ReadPlan
from assets.extracts.rejects import (
    broken_rows,
    count,
    create_books,
    found_line,
    load_found,
    set_aside,
    set_shapes_aside,
)
from assets.extracts.staged import FILE, Scan, Staged
from assets.extracts.statements import LookupTable, Reading, statement
from assets.sql_text import literal, quoted


def stage(
    connection: duckdb.DuckDBPyConnection,
    *,
    file: LandedFile,
    inspection: Inspection,
    contract: Contract,
    plan: ReadPlan,
    table: str,
    lookups: Mapping[str, LookupTable] | None = None,
    retained_from: datetime | None = None,
) -> Staged:
    """Reads a file into the temporary tables `table` and `table`_rejects.

    Rows dated before `retained_from` are set aside.

    Raises:
        RefusedFileError: the file can't be read at all; nothing of it is staged then.
    """
    laid = layout(connection, file, inspection.header_text, plan.delimiter)
    if laid.names or file.format != "jsonl":
        _refuse_wrong_columns(laid, inspection, contract, plan)
    reading = Reading(
        file=file,
        contract=contract,
        plan=plan,
        names=laid.names,
        types=laid.cell_types,
        described=laid.described,
        table=table,
        lookups=lookups or {},
        retained_from=retained_from,
    )
    create_books(connection, table)
    if file.format == "parquet":
        return _stage_parquet(connection, reading, laid)
    with tempfile.TemporaryDirectory(prefix="csw-") as scratch:
        return _stage_text(connection, reading, laid, Path(scratch))


def _refuse_wrong_columns(
    laid: Layout, inspection: Inspection, contract: Contract, plan: ReadPlan
) -> None:
    """Raises RefusedFileError for a required column that is not there."""
    place = f"{laid.file.path}, line 1" if laid.file.format == "csv" else laid.file.path
    wanted = _required_places(contract, plan)
    missing = [names for names in wanted if not _any_there(names, laid, plan)]
    if not missing:
        return _refuse_unsorted(laid, place, contract, plan)
    found = likely_delimiter(inspection.header_text, wanted) if len(laid.names) < 2 else None
    if found is not None:
        raise RefusedFileError(
            f"{place}: the columns are separated by {DELIMITERS[found]}, not by "
            f"{DELIMITERS.get(plan.delimiter, repr(plan.delimiter))}; write the file so, or say "
            f"delimiter: {found!r} for {contract.name} in the profile."
        )
    column, said = wanted[missing[0]], " or ".join(missing[0])
    read_as = "" if column == said else f" (read as {column} by profile {plan.profile})"
    raise RefusedFileError(
        f"{place}: the required column {said}{read_as} is missing; "
        "deliver it, or name the column that holds it in the profile."
    )


def _refuse_unsorted(laid: Layout, place: str, contract: Contract, plan: ReadPlan) -> None:
    """Raises RefusedFileError where what says which rows are of the table is not there at all.

    A column of which any word will do may be missing: then no row is of the table.
    """
    for said, words in plan.only.items():
        is_in_element = plan.rows is not None and said.startswith(plan.rows)
        names = tuple(said.split(OR))
        if "*" not in words and not is_in_element and not _any_there(names, laid, plan):
            raise RefusedFileError(
                f"{place}: the column {' or '.join(names)}, which says what rows are of "
                f"{contract.name} (profile {plan.profile}), is missing; deliver it, or name the "
                "right one in the profile."
            )


def _any_there(names: tuple[str, ...], laid: Layout, plan: ReadPlan) -> bool:
    """True where one of the places may have a value; an element's parts show when it is read."""
    arrays = [n for n in ((plan.rows or "").removesuffix("[]"), plan.rows_otherwise) if n]
    asked: list[str] = []
    for name in names:
        asked += arrays if plan.rows and name.startswith(plan.rows) else [name]
    return any(place_in(name, laid.names, None) is not None for name in asked)


def _required_places(contract: Contract, plan: ReadPlan) -> dict[tuple[str, ...], str]:
    """The places of which one must be there, each with the contract column that needs it."""
    needed: dict[tuple[str, ...], str] = {}
    for column in contract.columns:
        how = plan.column(column.name)
        if not column.required or how is None or how.otherwise is not None:
            continue
        if how.first_of is not None:
            needed[how.first_of] = column.name
        elif how.by is not None:
            needed[how.by] = column.name
        elif how.joined_by is not None and how.source is not None:
            needed[how.source] = column.name
        else:
            needed |= {(name,): column.name for name in how.places}
    return needed


def _stage_parquet(connection: duckdb.DuckDBPyConnection, reading: Reading, laid: Layout) -> Staged:
    """Parquet has types and row numbers, so it is read twice rather than written twice.

    What is staged is a view: once to judge the rows, once when they go in, together with those of
    files alike. Only where rows are made of several, or of their place among others, are they kept
    in a table.
    """
    row = ", ".join(f"{literal(name)}, c{n}" for n, name in reading.kept_names)
    raw = f"json_object({row})"
    is_view = not (reading.reshapes or reading.hashes or laid.hides_file)

    def select_from(files: Sequence[Path]) -> str:
        return statement(reading, laid.sources(files), raw=raw, passes=(FILE,))

    scan = None
    if is_view:
        # Files that are read together are read by the first one's types: 10.1234 as 10.12.
        shape = f"{laid.types} {select_from(())}"
        scan = Scan(location=reading.file.location, shape=shape, select=select_from)
    select = statement(reading, laid.source(), raw=raw)
    try:
        connection.execute(laid.read_all())
        _create(connection, reading, select, kind="view" if is_view else "table")
        return set_aside(connection, reading, scan=scan)
    except (duckdb.InvalidInputException, duckdb.IOException) as error:
        raise unreadable_parquet(reading.file, error) from error


def _create(
    connection: duckdb.DuckDBPyConnection, reading: Reading, select: str, *, kind: str = "table"
) -> None:
    connection.execute(f"create or replace temp {kind} {quoted(reading.table)} as {select}")


def _stage_text(
    connection: duckdb.DuckDBPyConnection, reading: Reading, laid: Layout, scratch: Path
) -> Staged:
    if laid.has_twins:
        return _stage_carefully(connection, reading, laid, scratch)
    try:
        _create(connection, reading, statement(reading, laid.source()))
    except duckdb.InvalidInputException:
        return _stage_carefully(connection, reading, laid, scratch)
    if not count(connection, reading.table):
        # A file without rows is small, or DuckDB took them for a part of something else.
        return _stage_carefully(connection, reading, laid, scratch)
    has_broken = count(connection, reading.table, "_broken is not null") > 0
    if has_broken and not _locate(connection, reading, laid, scratch, is_cut=False):
        return _stage_carefully(connection, reading, laid, scratch)
    return set_aside(connection, reading)


def _stage_carefully(
    connection: duckdb.DuckDBPyConnection, reading: Reading, laid: Layout, scratch: Path
) -> Staged:
    """Cuts the file into records; the sound ones are read as ever, the others set aside."""
    sound = scratch / "sound"
    accepted = _cut(connection, reading, laid, scratch, sound)
    try:
        _create(connection, reading, statement(reading, laid.source(cut=sound)))
    except duckdb.InvalidInputException as error:
        raise _unreadable_text(reading.file) from error
    if not reading.reshapes and count(connection, reading.table) != accepted:
        raise _unreadable_text(reading.file)
    if not _locate(connection, reading, laid, scratch, is_cut=True):
        raise _unreadable_text(reading.file)
    return set_aside(connection, reading)


def _cut(
    connection: duckdb.DuckDBPyConnection,
    reading: Reading,
    laid: Layout,
    scratch: Path,
    sound: Path,
) -> int:
    """Writes the sound records with their numbers, sets the others aside; how many are sound."""
    shapes = scratch / "shapes.csv"
    accepted = 0
    with sound.open("wb") as good, shapes.open("w", encoding="utf-8") as bad:
        for record in laid.records():
            if record.problem is None:
                good.write(laid.numbered(record))
                accepted += 1
            else:
                bad.write(found_line(record, b"" if reading.hides else record.text))
    load_found(connection, reading.table, shapes)
    set_shapes_aside(connection, reading.table)
    return accepted


def _unreadable_text(file: LandedFile) -> RefusedFileError:
    if file.format == "jsonl":
        return RefusedFileError(
            f"{file.path}: cannot be read as JSON Lines; write one JSON object per line, in UTF-8."
        )
    return RefusedFileError(
        f"{file.path}: cannot be read as CSV (quotes and line ends contradict each other); "
        "write it as RFC 4180 says."
    )


def _locate(
    connection: duckdb.DuckDBPyConnection,
    reading: Reading,
    laid: Layout,
    scratch: Path,
    *,
    is_cut: bool,
) -> bool:
    """Finds line and text of the rows that broke a rule; False where the records don't tally."""
    staged = count(connection, reading.table)
    wanted = broken_rows(connection, reading.table)
    target = next(wanted, None)
    located = scratch / "located.csv"
    tally = 0
    with located.open("w", encoding="utf-8") as found:
        for record in laid.records():
            if record.problem is not None and not is_cut:
                return False
            tally += record.problem is None
            if record.number == target:
                found.write(found_line(record, laid.without(record, reading.contract.never_stored)))
                target = next(wanted, None)
    is_sound = target is None if reading.reshapes else tally == staged
    if is_sound:
        load_found(connection, reading.table, located)
    return is_sound
