"""A large sample of extracts: as many events as are asked for, a file a day, at millions a minute.

The small sample tells stories; this one is for size. A day's files depend on the seed, the pace and
that day alone: `more_days` adds days after the others and touches none of them.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import duckdb

from assets.extracts.contracts import load_contracts
from assets.extracts.sampling.many_dirt import odd_events, regular_events
from assets.extracts.sampling.many_events import Pace, events_of
from assets.extracts.sampling.many_tables import TABLES, changes_of, days_of_changes
from assets.extracts.sampling.many_world import Size, make_world
from assets.extracts.sampling.sample import SampleError, claim_landing
from assets.sql_text import literal, quoted

FIRST_DAY = date(2024, 1, 1)
DAYS = 730
EVENTS = "events.events"
MEMORY_LIMIT = "2GB"
OPTIONS = {".parquet": "format parquet, compression zstd", ".csv": "format csv, header true"}


@dataclass(frozen=True, kw_only=True)
class ManySummary:
    """What stands in the landing and what this call added to it."""

    first_day: date
    through: date
    accounts: int
    users: int
    events_written: int
    files_written: int


@dataclass(frozen=True, kw_only=True)
class _Many:
    """One large sample while it is written; `news` are the days on which other tables change."""

    landing: Path
    connection: duckdb.DuckDBPyConnection
    pace: Pace
    is_messy: bool
    news: Mapping[str, set[int]]
    cells: dict[str, str] = field(default_factory=dict)


def accounts_for(events: int) -> int:
    """How many accounts go well with that many events."""
    return min(max(events // 100_000, 50), 5_000)


def write_many(
    landing: Path,
    *,
    events: int,
    days: int = DAYS,
    more_days: int = 0,
    accounts: int | None = None,
    seed: int = 7,
    messy: bool = False,
    steady: bool = False,
    threads: int = 2,
    on_day: Callable[[int, int], None] = lambda _done, _of: None,
) -> ManySummary:
    """Writes a large sample, or the days that it lacks.

    Args:
        landing: the landing folder; made if it is not there.
        events: events of the first `days` days together, within a per cent.
        days: days of history from `FIRST_DAY` on; with `events` they say how busy a day is.
        more_days: further days after those, at the same pace.
        accounts: how many accounts; a hundred thousandth of the events by default, 50 to 5,000.
        seed: chooses the world.
        messy: duplicates, late and re-sent events, unknown users, bad rows and so on.
        steady: nobody comes or goes, so that only the history grows from day to day.
        threads: DuckDB's threads.
        on_day: told after each day how many are done, and of how many.

    Raises:
        SampleError: nothing to write, or another sample or other data is there.
    """
    if events < 1 or days < 1 or more_days < 0:
        raise SampleError("A sample has at least one event and one day.")
    accounts = accounts or accounts_for(events)
    said = f"events={events} days={days} accounts={accounts} seed={seed} messy={messy}"
    claim_landing(landing, said + (" steady" if steady else ""), {"extends": "canonical"})
    pace = Pace.of(seed=seed, first_day=FIRST_DAY, events=events, days=days)
    size = Size(
        seed=seed,
        accounts=accounts,
        users=int(pace.per_day / 2),
        first_day=FIRST_DAY,
        is_steady=steady,
    )
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": threads,
        "memory_limit": MEMORY_LIMIT,
    }
    with duckdb.connect(config=config) as connection, ThreadPoolExecutor(threads) as pool:
        make_world(connection, size)
        news = {name: days_of_changes(connection, name) for name in TABLES}
        many = _Many(landing=landing, connection=connection, pace=pace, is_messy=messy, news=news)
        written: list[int] = []
        # A day is too little to keep two cores busy; two days at a time are not.
        for done, counts in enumerate(
            pool.map(lambda day: list(_write_day(many, day)), range(days + more_days)), start=1
        ):
            written += counts
            on_day(done, days + more_days)
        users = _count(connection, "users")
    return ManySummary(
        first_day=FIRST_DAY,
        through=FIRST_DAY + timedelta(days=days + more_days - 1),
        accounts=accounts,
        users=users,
        events_written=sum(written),
        files_written=len(written),
    )


def _write_day(many: _Many, day: int) -> Iterator[int]:
    """The files of a day; yields the events of each new one, 0 for those of other tables."""
    for name in (name for name in TABLES if day in many.news[name]):
        path = _path(many, name, day, f"{name.split('.')[1]}.csv")
        if not path.exists() and _write(many, name, changes_of(name, day), path):
            yield 0
    for file, query in _queries(many).items():
        path = _path(many, EVENTS, day, file)
        if not path.exists():
            yield _write(many, EVENTS, query(many.pace, day), path)


def _queries(many: _Many) -> dict[str, Callable[[Pace, int], str]]:
    """The event files of each day and what makes them."""
    if many.is_messy:
        return {"events.parquet": regular_events, "odd.csv": odd_events}
    return {"events.parquet": _in_order}


def _in_order(pace: Pace, day: int) -> str:
    return f"select * from ({events_of(pace, day)}) order by occurred_at, i"  # noqa: S608


def _path(many: _Many, name: str, day: int, file: str) -> Path:
    folder = f"dt={(many.pace.first_day + timedelta(days=day)).isoformat()}"
    return many.landing / name.replace(".", "/") / folder / file


def _write(many: _Many, name: str, query: str, path: Path) -> int:
    """Writes a query's rows in the shape of a contract, whole or, without any, not at all."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    path.parent.mkdir(parents=True, exist_ok=True)
    with many.connection.cursor() as cursor:
        cursor.execute("set TimeZone = 'UTC'")
        if path.name not in many.cells:
            made = [column[0] for column in cursor.execute(f"describe {query}").fetchall()]
            many.cells[path.name] = _cells(name, made)
        rows = cursor.execute(
            f"copy (select {many.cells[path.name]} from ({query})) "  # noqa: S608
            f"to {literal(str(unfinished))} ({OPTIONS[path.suffix]})"
        ).fetchall()
    if rows[0][0]:
        unfinished.replace(path)
    else:
        unfinished.unlink()
    return int(rows[0][0])


def _cells(name: str, made: list[str]) -> str:
    """The contract's columns in the contract's order; what a sample does not fill is empty."""
    columns = load_contracts()[name].column_names
    return ", ".join(quoted(c) if c in made else f"null::varchar as {quoted(c)}" for c in columns)


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(connection.execute(f"select count(*) from {table}").fetchall()[0][0])  # noqa: S608
