"""Lookups: small files that rows are joined to by a key, read whole before the rows are."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from assets.extracts.casting import text_of
from assets.extracts.errors import RefusedFileError
from assets.extracts.formats import Layout, layout
from assets.extracts.inspection import inspect
from assets.extracts.landing import LandedFile
from assets.extracts.places import column_in
from assets.extracts.profiles import Lookup, ReadPlan
from assets.extracts.statements import LookupTable
from assets.sql_text import quoted


@dataclass(frozen=True, kw_only=True)
class LookupFiles:
    """The files of one lookup, with the hashes of their contents."""

    lookup: Lookup
    files: Sequence[LandedFile]
    hashes: Sequence[str]


def with_lookups(content_hash: str, lookups: Mapping[str, LookupFiles]) -> str:
    """The hash of what a file's rows are made of: its own content, and that of its lookups.

    A file whose lookup changed is so a new version, and is read again.
    """
    said = [h for name in sorted(lookups) for h in (name, *sorted(lookups[name].hashes))]
    if not said:
        return content_hash
    return hashlib.sha256("\0".join([content_hash, *said]).encode()).hexdigest()


def read_lookups(
    connection: duckdb.DuckDBPyConnection, plan: ReadPlan, lookups: Mapping[str, LookupFiles]
) -> dict[str, LookupTable]:
    """Reads lookups into temporary tables `lookup_<name>`, one row per key; files must be there.

    Raises:
        RefusedFileError: a lookup has no file, no such key, or cannot be read.
    """
    return {name: _read(connection, plan, name, found) for name, found in lookups.items()}


def _read(
    connection: duckdb.DuckDBPyConnection, plan: ReadPlan, name: str, found: LookupFiles
) -> LookupTable:
    if not found.files and found.lookup.optional:
        return LookupTable(table=_empty(connection, name), names=())
    if not found.files:
        raise RefusedFileError(
            f"{' '.join(found.lookup.files)}: no file of the lookup {name} of profile "
            f"{plan.profile} has landed; deliver it, then run again."
        )
    laid = [_laid_out(connection, plan, found.lookup, file) for file in found.files]
    names = tuple(dict.fromkeys(column for each in laid for column in each.names))
    table = f"lookup_{name}"
    rows = " union all ".join(_rows(each, names, n) for n, each in enumerate(laid))
    key = names.index(laid[0].names[column_in(found.lookup.key, laid[0].names) or 0])
    newest = column_in(found.lookup.newest_by or "", names)
    order = "" if newest is None else f"v{newest} desc nulls last, "
    try:
        connection.execute(
            f"""
            create or replace temp table {quoted(table)} as
            select v{key} as lookup_key, {", ".join(f"v{n}" for n in range(len(names)))}
            from ({rows}) where v{key} is not null
            qualify row_number() over (partition by v{key} order by {order}_file desc, _row desc)
                = 1
            """  # noqa: S608
        )
    except duckdb.Error as error:
        said = " ".join(str(error).split())[:200]
        raise RefusedFileError(
            f"{found.files[-1].path}: the lookup {name} cannot be read ({said}); deliver it again."
        ) from error
    return LookupTable(table=table, names=names)


def _empty(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    table = f"lookup_{name}"
    connection.execute(f"create or replace temp table {quoted(table)} (lookup_key varchar)")
    return table


def _laid_out(
    connection: duckdb.DuckDBPyConnection, plan: ReadPlan, lookup: Lookup, file: LandedFile
) -> Layout:
    inspection = inspect(file)
    if inspection.refusal is not None:
        raise RefusedFileError(inspection.refusal)
    delimiter = lookup.delimiter or plan.delimiter
    laid = layout(connection, file, inspection.header_text, delimiter)
    if column_in(lookup.key, laid.names) is None:
        raise RefusedFileError(
            f"{file.path}: the column {lookup.key}, the key of a lookup of profile {plan.profile}, "
            "is missing; deliver it, or name the right one in the profile."
        )
    return laid


def _rows(laid: Layout, names: Sequence[str], number: int) -> str:
    """One file's rows with all columns of the lookup, as text, an empty text as NULL."""
    places = (column_in(name, laid.names) for name in names)
    cells = [
        f"cast(null as varchar) as v{n}"
        if column is None
        else f"nullif(trim({text_of(f'c{column}', laid.cell_types[column])}), '') as v{n}"
        for n, column in enumerate(places)
    ]
    return (
        f"select {', '.join(cells)}, {number} as _file, "  # noqa: S608
        f"row_number() over () as _row from ({laid.source()})"
    )
