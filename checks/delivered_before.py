"""What a batch's rows were rejected for, and what the loads before it looked like."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median_low

import duckdb

from assets.extracts.casting import TOO_OLD
from assets.extracts.contracts import Column, Contract
from assets.sql_text import quoted

RUNS = 7
FEWEST_RUNS = 3
FEWEST_ROWS = 100
MOST_WORDS = 50


@dataclass(frozen=True, kw_only=True)
class Before:
    """A batch's size and what its rows were rejected for; rows, NULLs, words of loads before it.

    `broken` are the columns that rows were rejected for; None stands for rows without any shape.
    `usual_rows` is the median of the last runs' rows, `empty` the NULLs of each column in the
    `last_rows` rows of the last run; None, and the mappings empty, where too little was loaded
    before to compare with.
    """

    batch_rows: int
    broken: tuple[str | None, ...] = ()
    usual_rows: int | None = None
    last_rows: int = 0
    empty: Mapping[str, int] = field(default_factory=dict)
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def look_back(database: Path, *, contract: Contract, delivery_ids: Sequence[int]) -> Before:
    """Reads what was loaded before a batch."""
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        batch_rows = _batch_rows(connection, delivery_ids)
        broken = _broken(connection, delivery_ids)
        runs = _runs_before(connection, contract, delivery_ids)
        if not runs:
            return Before(batch_rows=batch_rows, broken=broken)
        rows = [sum(delivery_rows for _, delivery_rows in run) for run in runs]
        last = [delivery for delivery, _ in runs[0]]
        every = [delivery for run in runs for delivery, _ in run]
        last_rows, empty = _empty(connection, contract, last)
        return Before(
            batch_rows=batch_rows,
            broken=broken,
            usual_rows=median_low(rows) if len(rows) >= FEWEST_RUNS else None,
            last_rows=last_rows,
            empty=empty,
            words=_words(connection, contract, every),
        )


def _batch_rows(connection: duckdb.DuckDBPyConnection, delivery_ids: Sequence[int]) -> int:
    row = connection.execute(
        "select coalesce(sum(rows_loaded + rows_rejected), 0) from landing.deliveries "
        "where delivery_id in (select unnest(?::bigint[]))",
        [list(delivery_ids)],
    ).fetchone()
    return 0 if row is None else int(row[0])


def _broken(
    connection: duckdb.DuckDBPyConnection, delivery_ids: Sequence[int]
) -> tuple[str | None, ...]:
    """What rows were rejected for; a row that is only too old tells nothing of the extract."""
    rows = connection.execute(
        "select distinct column_name from landing.quarantine "
        "where delivery_id in (select unnest(?::bigint[])) and rule <> ? order by column_name",
        [list(delivery_ids), TOO_OLD],
    ).fetchall()
    return tuple(name for (name,) in rows)


def _runs_before(
    connection: duckdb.DuckDBPyConnection, contract: Contract, delivery_ids: Sequence[int]
) -> list[list[tuple[int, int]]]:
    """The last runs that loaded the table, newest first: their deliveries with their rows."""
    rows = connection.execute(
        "select run_id, delivery_id, rows_read from landing.deliveries "
        "where source = ? and table_name = ? and state = 'loaded' and delivery_id < ? "
        "order by delivery_id desc",
        [contract.source, contract.table, min(delivery_ids, default=0)],
    ).fetchall()
    runs: dict[str, list[tuple[int, int]]] = {}
    for run_id, delivery_id, rows_read in rows:
        runs.setdefault(run_id, []).append((int(delivery_id), int(rows_read)))
    return list(runs.values())[:RUNS]


def _empty(
    connection: duckdb.DuckDBPyConnection, contract: Contract, delivery_ids: Sequence[int]
) -> tuple[int, dict[str, int]]:
    """The rows of deliveries, and how many of them leave each optional column empty."""
    optional = [column.name for column in contract.columns if not column.required]
    counts = ", ".join(["count(*)", *(f"count(*) - count({quoted(name)})" for name in optional)])
    row = connection.execute(f"select {counts} {_rows_of(contract)}", [delivery_ids]).fetchone()
    if row is None or row[0] < FEWEST_ROWS:
        return 0, {}
    return int(row[0]), {name: int(n) for name, n in zip(optional, row[1:], strict=True)}


def _words(
    connection: duckdb.DuckDBPyConnection, contract: Contract, delivery_ids: Sequence[int]
) -> dict[str, tuple[str, ...]]:
    """The values of each text column that has few."""
    found = {}
    for column in contract.columns:
        if not _has_words(contract, column):
            continue
        name = quoted(column.name)
        rows = connection.execute(
            f"select {name}, count(*) {_rows_of(contract)} and {name} is not null "
            f"group by 1 order by 1 limit {MOST_WORDS + 1}",
            [delivery_ids],
        ).fetchall()
        enough = sum(row[1] for row in rows) >= FEWEST_ROWS
        if enough and len(rows) <= MOST_WORDS:
            found[column.name] = tuple(row[0] for row in rows)
    return found


def _has_words(contract: Contract, column: Column) -> bool:
    """True where a column may hold words rather than names: no key, reference or person's."""
    is_name = column.name in contract.key or column.references is not None or column.personal
    return column.type == "text" and column.allowed is None and not is_name


def _rows_of(contract: Contract) -> str:
    alive = " and not _is_deleted" if contract.is_entity else ""
    return (
        f"from {quoted(contract.source)}.{quoted(contract.table)} "
        f"where _delivery_id in (select unnest(?::bigint[])){alive}"
    )
