"""How long raw rows are kept, and what is remembered of those that went.

Only tables whose days are rolled up may be cut: their rollups keep what the rows said. They are
cut after the run that rolled them up is released, so a first load of any history is counted whole.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
from pydantic import Field, field_validator

from assets.clock import as_of_day, first_instant
from assets.extracts.contracts import Contract, load_contracts
from assets.extracts.event_days import cut_events
from assets.seed_files import Problem, SeedRow, read_rows, repeated
from assets.transactions import transaction

FILE = "retention.csv"
# Rows of so many days before the first that is retained stay: a local day may begin a day before
# the UTC day of that name, and what is made anew needs all of its rows.
SPARE = timedelta(days=2)


class RetentionRow(SeedRow):
    """How many months of a table's raw rows are kept; a table without a row keeps all of them."""

    table_name: str = Field(min_length=1)
    months: int = Field(ge=1)

    @field_validator("table_name")
    @classmethod
    def _is_rolled_up(cls, name: str) -> str:
        known = rolled_up()
        if name not in known:
            raise ValueError(f"'{name}' has no rollups; allowed is {' or '.join(sorted(known))}")
        return name


@dataclass(frozen=True, kw_only=True)
class Cut:
    """What retention did to one table: from when its raw rows are kept, and how many went."""

    table: str
    retained_from: datetime
    rows_cut: int


def rolled_up() -> Mapping[str, Contract]:
    """The contracts whose rollups keep what their rows said, by name."""
    return {name: found for name, found in load_contracts().items() if found.rolled_up}


def find_retention_problems(seeds: Path) -> list[Problem]:
    """Everything that is wrong in the retention seed."""
    problems: list[Problem] = []
    rows = list(read_rows(seeds / FILE, RetentionRow, problems))
    return problems + repeated(seeds / FILE, "table_name", rows)


def read_retention(seeds: Path) -> dict[str, int]:
    """The months that are kept, by table; of a seed that was found right."""
    with (seeds / FILE).open(encoding="utf-8-sig", newline="") as file:
        rows = [RetentionRow.model_validate(row) for row in csv.DictReader(file)]
    return {row.table_name: row.months for row in rows}


def retained_from(as_of: datetime, months: int, zone: ZoneInfo) -> datetime:
    """The first instant of a UTC day from which so many months before as-of are kept whole.

    A month before a day is the same day of that month, or its last one.
    """
    day = as_of_day(as_of, zone)
    count = day.year * 12 + day.month - 1 - months
    first_of_next = day.replace(year=(count + 1) // 12, month=(count + 1) % 12 + 1, day=1)
    last = (first_of_next - timedelta(days=1)).day
    kept = day.replace(year=count // 12, month=count % 12 + 1, day=min(day.day, last))
    first = first_instant(kept, zone).astimezone(UTC)
    return first.replace(hour=0, minute=0, second=0, microsecond=0)


def read_horizon(connection: duckdb.DuckDBPyConnection, contract: Contract) -> datetime | None:
    """The first instant of which a table's raw rows are kept; None where none were ever cut."""
    row = connection.execute(
        "select max(retained_from) from landing.retention where source = ? and table_name = ?",
        [contract.source, contract.table],
    ).fetchone()
    return row[0].astimezone(UTC) if row and row[0] is not None else None


def apply_retention(
    connection: duckdb.DuckDBPyConnection,
    months: Mapping[str, int],
    *,
    as_of: datetime,
    today: datetime,
    zone: ZoneInfo,
) -> list[Cut]:
    """Cuts the raw rows that are older than their table's retention; a second time changes nothing.

    Where rows landed that no finished rollup has seen, nothing is cut.

    Args:
        connection: the build with the rollups' books, outside any transaction.
        months: how many are kept, by table.
        as_of: the as-of of the run.
        today: the wall clock: a run for a day far ahead cuts no more than one for today.
        zone: the reporting time zone.
    """
    if not _all_is_rolled_up(connection):
        return []
    until = min(as_of, today)
    return [
        cut_rows(connection, rolled_up()[table], retained_from(until, kept, zone))
        for table, kept in sorted(months.items())
    ]


def _all_is_rolled_up(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the rollups were finished after the last change of what they are made from."""
    row = connection.execute(
        "select (select coalesce(max(change_id), 0) from landing.event_days) "
        "<= (select coalesce(max(change_id), 0) from rollups.done) "
        "and not exists (from rollups.days_begun)"
    ).fetchone()
    return bool(row and row[0])


def cut_rows(connection: duckdb.DuckDBPyConnection, contract: Contract, first: datetime) -> Cut:
    """Cuts a table's raw rows from before an instant, but for the spare days, and says so for good.

    Where no row is that old nothing is said either: a longer history may still land there.

    Args:
        connection: the build, outside any transaction.
        contract: a table that is rolled up.
        first: the first instant that is retained, the first of a UTC day.

    Raises:
        ValueError: the table is not rolled up, or a day is halved.
    """
    earlier = read_horizon(connection, contract)
    first = first if earlier is None else max(first, earlier)
    with transaction(connection):
        rows = cut_events(connection, contract, first - SPARE)
        if rows:
            name = [contract.source, contract.table]
            connection.execute(
                "delete from landing.retention where source = ? and table_name = ?", name
            )
            connection.execute("insert into landing.retention values (?, ?, ?)", [*name, first])
    return Cut(table=contract.name, retained_from=first, rows_cut=rows)
