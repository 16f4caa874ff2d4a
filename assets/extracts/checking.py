"""What a landing would become, without loading it: read into a database that is thrown away."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from assets.extracts.contracts import Contract, load_contracts
from assets.extracts.known_log import KnownLog
from assets.extracts.landing import Landing, unclaimed
from assets.extracts.loader import load_table
from assets.extracts.loads import TableLoad
from assets.extracts.profiles import Profile
from assets.extracts.tables import prepare

# Nothing that is told depends on when it is asked.
_SOME_DAY = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why rows would be set aside: a rule of a column, how many break it, the first of them."""

    rule: str
    column_name: str | None
    rows: int
    path: str
    line: int
    reason: str

    @property
    def sentence(self) -> str:
        """How many rows, and the first with its place."""
        return f"{self.rows:,} rows, such as {self.path}, line {self.line}: {self.reason}."


@dataclass(frozen=True, kw_only=True)
class TableCheck:
    """What would become of one table's files, and why rows of them would be set aside."""

    load: TableLoad
    reasons: tuple[Reason, ...]

    def is_blocked(self, *, max_reject_share: float, max_rejects: int) -> bool:
        """True where so many rows would be rejected that they stop a release."""
        share = self.load.rows_rejected / self.load.rows_read if self.load.rows_read else 0.0
        return share > max_reject_share and self.load.rows_rejected > max_rejects


@dataclass(frozen=True, kw_only=True)
class LandingCheck:
    """What a load of everything in a landing would do.

    Attributes:
        landing: The landing's name.
        profile: The connector profile's name.
        tables: Every table of which a file landed, in order of names.
        absent: The tables that the profile reads and of which nothing landed.
        unclaimed: Files that belong to no table.
    """

    landing: str
    profile: str
    tables: tuple[TableCheck, ...]
    absent: tuple[str, ...]
    unclaimed: tuple[str, ...]

    @property
    def refusals(self) -> tuple[str, ...]:
        """A sentence for each file that would be refused whole."""
        return tuple(sentence for table in self.tables for sentence in table.load.refusals)


def check_landing(
    landing: Landing,
    profile: Profile,
    *,
    time_zone: str = "UTC",
    shrink_limit: float = 0.5,
    memory_limit: str = "4GB",
    threads: int = 2,
    say: Callable[[str], None] = lambda _: None,
) -> LandingCheck:
    """Says what a first load of a landing would do; writes nothing but a temporary folder.

    Args:
        landing: the landing, listed.
        profile: how its files are read.
        time_zone: the reporting time zone.
        shrink_limit: the share by which a full extract may shrink.
        memory_limit: DuckDB's bound on memory.
        threads: DuckDB's threads.
        say: told of every file that was read.

    Raises:
        ExtractError: a bucket can no longer be reached.
    """

    def checked(connection: duckdb.DuckDBPyConnection, contract: Contract) -> TableCheck:
        load = load_table(
            connection,
            contract=contract,
            profile=profile,
            landing=landing,
            as_of=_SOME_DAY,
            known=KnownLog(),
            run_id="check",
            loaded_at=_SOME_DAY,
            time_zone=time_zone,
            shrink_limit=shrink_limit,
            say=say,
        )
        return TableCheck(load=load, reasons=_reasons(connection, contract))

    contracts = [c for c in load_contracts().values() if profile.table(c) is not None]
    with tempfile.TemporaryDirectory(prefix="csw-check-") as folder:
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": memory_limit,
            "threads": threads,
            "temp_directory": folder,
        }
        with duckdb.connect(str(Path(folder) / "check.duckdb"), config=config) as connection:
            prepare(connection)
            tables = [checked(connection, contract) for contract in contracts]
    there = [table for table in tables if table.load.files_new or table.load.files_refused]
    return LandingCheck(
        landing=landing.store.name,
        profile=profile.name,
        tables=tuple(there),
        absent=tuple(table.load.table for table in tables if table not in there),
        unclaimed=unclaimed(landing, _patterns(profile, contracts)),
    )


def _patterns(profile: Profile, contracts: list[Contract]) -> list[str]:
    plans = [plan for contract in contracts if (plan := profile.table(contract)) is not None]
    looked_up = [pattern for lookup in profile.lookups.values() for pattern in lookup.files]
    return [pattern for plan in plans for pattern in plan.files] + looked_up


def _reasons(connection: duckdb.DuckDBPyConnection, contract: Contract) -> tuple[Reason, ...]:
    rows = connection.execute(
        """
        select
            rule, column_name, count(*) as row_count, min_by(path, place), min_by(line, place),
            min_by(reason, place)
        from (
            select *, row(path, row_number) as place
            from landing.quarantine where source = ? and table_name = ?
        )
        group by rule, column_name order by row_count desc, rule, column_name
        """,
        [contract.source, contract.table],
    ).fetchall()
    names = ("rule", "column_name", "rows", "path", "line", "reason")
    return tuple(Reason(**dict(zip(names, row, strict=True))) for row in rows)
