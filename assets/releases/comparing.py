"""What differs between two releases, and why: tables, accounts, numbers, configuration, data."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from assets.releases import folders
from assets.releases.keeping import ReleaseSummary
from assets.releases.tables import read_columns
from assets.sql_text import literal

_SCORECARD = "accounts.account_scorecard"
_SHOWN_ACCOUNTS = 3
_SHOWN_CELLS = 20


@dataclass(frozen=True, kw_only=True)
class TableDifference:
    """One table whose rows differ.

    Attributes:
        name: `schema.table`.
        rows: Rows before and after; None where a release has no such table.
        accounts: How many accounts have other rows; None where it has no accounts.
        examples: The first of them, by id.
    """

    name: str
    rows: tuple[int | None, int | None]
    accounts: int | None
    examples: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class NumberDifference:
    """A number over all accounts that differs.

    Attributes:
        name: What it is: accounts of a status or a state of health, the sum of a metric that the
            registry calls additive, or the mean of another number of the scorecard.
        before: In the earlier release; None where all are undefined.
        after: In the later one.
    """

    name: str
    before: Decimal | None
    after: Decimal | None


@dataclass(frozen=True, kw_only=True)
class ReleaseDifference:
    """All that differs between two releases.

    Attributes:
        causes: What can have made the difference, a sentence each.
        tables: Tables whose rows differ.
        equal_tables: How many have equal rows.
        numbers: Sums that differ.
        cells: Seed cells that differ: file, row, column, before, after.
    """

    causes: tuple[str, ...]
    tables: tuple[TableDifference, ...]
    equal_tables: int
    numbers: tuple[NumberDifference, ...]
    cells: tuple[tuple[str, int, str, str | None, str | None], ...]


def compare(releases: Path, before: ReleaseSummary, after: ReleaseSummary) -> ReleaseDifference:
    """Compare two releases of one home, the earlier one first."""
    tables = (before.manifest["tables"], after.manifest["tables"])
    names = sorted(set().union(*tables))
    # Hashes compare within one version of the engine.
    comparable = before.manifest["engines"]["duckdb"] == after.manifest["engines"]["duckdb"]
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        for catalog, release in (("before", before), ("after", after)):
            file = releases / release.release_id / folders.RELEASE_FILE
            connection.execute(f"attach {literal(str(file))} as {catalog} (read_only)")
        differing = [
            _compare_table(connection, name, *(side.get(name) for side in tables))
            for name in names
            if not (comparable and _hash_of(tables[0], name) == _hash_of(tables[1], name))
        ]
        found = [each for each in differing if each is not None]
        return ReleaseDifference(
            causes=tuple(_causes(connection, before, after)),
            tables=tuple(found),
            equal_tables=len(names) - len(found),
            numbers=tuple(_numbers(connection)),
            cells=tuple(_cells(connection)),
        )


def _hash_of(tables: Mapping[str, Any], name: str) -> str | None:
    return tables[name]["content_hash"] if name in tables else None


def _compare_table(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> TableDifference | None:
    """How a table differs; None where its rows are equal after all."""
    rows = (before["rows"] if before else None, after["rows"] if after else None)
    columns = [read_columns(connection, catalog, name) for catalog in ("before", "after")]
    if not (before and after) or columns[0].keys() != columns[1].keys():
        return TableDifference(name=name, rows=rows, accounts=None, examples=())
    listed = ", ".join(f'"{column}"' for column in sorted(columns[0]))
    key = "account_id" if "account_id" in columns[0] else "null"
    changed = connection.execute(
        f"""
        with
        before as (
            select {key} as account, count(*) as n, sum(hash({listed})) as content
            from before.{name} group by 1
        ),
        after as (
            select {key} as account, count(*) as n, sum(hash({listed})) as content
            from after.{name} group by 1
        )
        select account from before full join after using (account)
        where (before.n, before.content) is distinct from (after.n, after.content)
        order by account
        """
    ).fetchall()
    if not changed:
        return None
    has_accounts = key != "null"
    return TableDifference(
        name=name,
        rows=rows,
        accounts=len(changed) if has_accounts else None,
        examples=tuple(str(row[0]) for row in changed[:_SHOWN_ACCOUNTS]) if has_accounts else (),
    )


def _numbers(connection: duckdb.DuckDBPyConnection) -> list[NumberDifference]:
    """Accounts by status and health, and the sum or mean of every number of the scorecard."""
    told = [read_columns(connection, catalog, _SCORECARD) for catalog in ("before", "after")]
    if not (all(told) and read_columns(connection, "after", "meta.metric_registry")):
        return []
    words = [c for c in ("account_status", "health_state") if all(c in each for each in told)]
    summed = [
        column
        for column, data_type in told[1].items()
        if column in told[0] and data_type.startswith(("DECIMAL", "BIGINT", "INTEGER", "DOUBLE"))
    ]
    additive = {
        row[0]
        for row in connection.execute(
            "select metric from after.meta.metric_registry where not is_non_additive"
        ).fetchall()
    }
    kinds = {column: "sum" if column in additive else "mean" for column in summed}
    sides = []
    for catalog in ("before", "after"):
        numbers: dict[str, Decimal | None] = {}
        for column in words:
            for word, count in connection.execute(
                f"select {column}, count(*) from {catalog}.{_SCORECARD} group by 1 order by 1"
            ).fetchall():
                numbers[f"accounts, {column} {word}"] = Decimal(count)
        sums = ", ".join(
            f'cast({kind}("{column}") as decimal(38, 2))' for column, kind in kinds.items()
        )
        row = connection.execute(f"select {sums} from {catalog}.{_SCORECARD}").fetchone()
        named = [f"{kind} of {column}" for column, kind in kinds.items()]
        numbers |= dict(zip(named, row or (), strict=True))
        sides.append(numbers)
    return [
        NumberDifference(name=name, before=sides[0].get(name), after=sides[1].get(name))
        for name in dict.fromkeys((*sides[0], *sides[1]))
        if sides[0].get(name) != sides[1].get(name)
    ]


def _causes(
    connection: duckdb.DuckDBPyConnection, before: ReleaseSummary, after: ReleaseSummary
) -> list[str]:
    said = []
    if before.as_of != after.as_of:
        said.append(f"time: as of {before.as_of.isoformat()}, then {after.as_of.isoformat()}")
    for what, key in (("code", "code_version"), ("configuration", "configuration_hash")):
        if before.manifest[key] != after.manifest[key]:
            said.append(f"{what}: {before.manifest[key]}, then {after.manifest[key]}")
    for name, version in after.manifest["engines"].items():
        if before.manifest["engines"].get(name) not in (None, version):
            said.append(f"engine: {name} {before.manifest['engines'][name]}, then {version}")
    landed = connection.execute(
        "select source || '.' || table_name, count(*), coalesce(sum(rows_loaded), 0) "
        "from after.meta.deliveries where delivery_id > "
        "(select coalesce(max(delivery_id), 0) from before.meta.deliveries) "
        "and state <> 'refused' group by 1 order by 1"
    ).fetchall()
    said += [f"data: {table}, {rows:,} rows in {files:,} files" for table, files, rows in landed]
    return said


def _cells(
    connection: duckdb.DuckDBPyConnection,
) -> list[tuple[str, int, str, str | None, str | None]]:
    """The cells of the seeds that differ between what both releases were made with."""
    newest = (
        "select file, row, column_name, value from {0}.meta.configuration where version = "
        "(select arg_max(version, valid_from_release) from {0}.meta.configuration)"
    )
    found: list[tuple[str, int, str, str | None, str | None]] = connection.execute(
        f"select file, row, column_name, old.value, new.value "
        f"from ({newest.format('before')}) as old full join ({newest.format('after')}) as new "
        "using (file, row, column_name) where old.value is distinct from new.value "
        f"order by file, row, column_name limit {_SHOWN_CELLS}"
    ).fetchall()
    return found
