"""Loading events: with typing, contract, dedupe and manifest, beside DuckDB's own bare insert.

    .venv/bin/python -m benchmarks.load [--parquet 100000000] [--text 20000000]

For each format the same files are loaded twice, each time in a process of its own: by this
project, and by one `insert into … select distinct on (event_id)` over DuckDB's reader with the
types written out. Printed are the seconds, their ratio and each process's peak memory.
"""

import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import duckdb
import typer
from rich.console import Console
from rich.table import Table

from assets.extracts.contracts import load_contracts
from assets.extracts.known_log import KnownLog
from assets.extracts.landing import open_landing
from assets.extracts.loader import load_table, prepare
from assets.extracts.profiles import load_profile

MEMORY_LIMIT = "3GB"
THREADS = 2
FILES = 10
TARGETS = {"parquet": 1.3, "csv": 2.0, "jsonl": 2.0}
SOME_DAY = datetime(2030, 1, 1, tzinfo=UTC)
TYPES = {
    "event_id": "VARCHAR",
    "account_id": "VARCHAR",
    "user_id": "VARCHAR",
    "occurred_at": "TIMESTAMP WITH TIME ZONE",
    "event_type": "VARCHAR",
    "module": "VARCHAR",
    "feature": "VARCHAR",
    "duration_seconds": "DECIMAL(18,6)",
    "quantity": "BIGINT",
    "device": "VARCHAR",
}


@dataclass(frozen=True, kw_only=True)
class Run:
    """One timed load: rows that it ended with, seconds, peak memory of its process in bytes."""

    rows: int
    seconds: float
    peak: int


def connect(folder: Path) -> duckdb.DuckDBPyConnection:
    """A database of its own, within the bounds."""
    folder.mkdir(parents=True, exist_ok=True)
    spill = str(folder / "spill")
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY_LIMIT,
        "threads": THREADS,
        "temp_directory": spill,
    }
    connection = duckdb.connect(str(folder / "build.duckdb"), config=config)
    connection.execute("set TimeZone = 'UTC'")
    return connection


def write_events(landing: Path, kind: str, events: int) -> None:
    """Deterministic events in FILES files; one in a thousand comes twice."""
    connection = connect(landing.parent / "writing")
    target = landing / "events" / "events"
    target.mkdir(parents=True)
    share = events // FILES
    for number in range(FILES):
        instant = "timestamptz '2024-01-01 00:00:00Z' + interval (i) second"
        at = instant if kind == "parquet" else f"strftime({instant}, '%Y-%m-%dT%H:%M:%SZ')"
        connection.execute(
            f"""
            copy (
                select
                    md5(cast(i - cast(i % 1000 = 999 as bigint) as varchar)) as event_id,
                    'account' || hash(i) % 10000 as account_id,
                    'user' || hash(i * 7) % 200000 as user_id, {at} as occurred_at,
                    case when hash(i) % 10 < 8 then 'use' else 'login' end as event_type,
                    'module' || hash(i * 3) % 20 as module,
                    'feature' || hash(i * 5) % 200 as feature,
                    cast(hash(i) % 6000 as decimal(18, 6)) / 10 as duration_seconds,
                    cast(1 + hash(i) % 3 as bigint) as quantity, 'browser' as device
                from range({number * share}, {(number + 1) * share}) as t (i)
            ) to '{target / f"{number:02}.{kind}"}'
            (format {"json" if kind == "jsonl" else kind})
            """  # noqa: S608 - numbers and paths of our own
        )
    connection.close()


def load_with_project(landing: Path, folder: Path) -> Run:
    """What `csw run` does for one table."""
    connection = connect(folder)
    prepare(connection)
    started = time.perf_counter()
    loaded = load_table(
        connection,
        contract=load_contracts()["events.events"],
        profile=load_profile("canonical"),
        landing=open_landing(landing),
        as_of=SOME_DAY,
        known=KnownLog(),
        run_id="benchmark",
        loaded_at=SOME_DAY,
    )
    connection.execute("checkpoint")
    return Run(rows=loaded.rows_loaded, seconds=time.perf_counter() - started, peak=_peak())


def load_with_duckdb(landing: Path, folder: Path) -> Run:
    """One typed insert with distinct on, from DuckDB's own reader of the same files."""
    connection = connect(folder)
    kind = next(landing.rglob("*.*")).suffix.removeprefix(".")
    files = f"'{landing}/events/events/*.{kind}'"
    columns = ", ".join(f"{name}: '{duckdb_type}'" for name, duckdb_type in TYPES.items())
    readers = {
        "parquet": f"read_parquet({files})",
        "csv": f"read_csv({files}, auto_detect = false, header = true, columns = {{{columns}}})",
        "jsonl": f"read_json({files}, format = 'newline_delimited', columns = {{{columns}}})",
    }
    said = ", ".join(f"{name} {duckdb_type}" for name, duckdb_type in TYPES.items())
    connection.execute(f"create table events ({said})")
    started = time.perf_counter()
    connection.execute(
        f"insert into events select distinct on (event_id) {', '.join(TYPES)} from {readers[kind]}"  # noqa: S608
    )
    connection.execute("checkpoint")
    seconds = time.perf_counter() - started
    rows = connection.execute("select count(*) from events").fetchall()[0][0]
    return Run(rows=int(rows), seconds=seconds, peak=_peak())


def nothing_new(folder: Path, files: int) -> tuple[float, float]:
    """Seconds to load a landing of many small files, and to find that nothing of it is new."""
    target = folder / "landing" / "events" / "events"
    for number in range(files):
        day = target / f"dt=2024-01-{number % 28 + 1:02}"
        day.mkdir(parents=True, exist_ok=True)
        (day / f"{number}.csv").write_text(
            "event_id,account_id,occurred_at,event_type\n"
            f"e{number},a1,2024-01-{number % 28 + 1:02}T10:00:00Z,use\n"
        )
    connection = connect(folder)
    prepare(connection)
    # A file that was just written is read again, since a clock has grains.
    time.sleep(3)
    return _load_all(connection, folder), _load_all(connection, folder)


def _load_all(connection: duckdb.DuckDBPyConnection, folder: Path) -> float:
    started = time.perf_counter()
    landing = open_landing(folder / "landing")
    profile = load_profile("canonical")
    known = KnownLog.beside(landing, otherwise=folder)
    for contract in load_contracts().values():
        load_table(
            connection,
            contract=contract,
            profile=profile,
            landing=landing,
            as_of=SOME_DAY,
            known=known,
            run_id="benchmark",
            loaded_at=SOME_DAY,
        )
    return time.perf_counter() - started


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def in_a_process(load: Callable[[Path, Path], Run], landing: Path, folder: Path) -> Run:
    """A load in a process of its own, so that its peak is its own; its database is thrown away."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        run = pool.submit(load, landing, folder).result()
    shutil.rmtree(folder)
    return run


def main(
    parquet: Annotated[int, typer.Option(help="Events in Parquet.")] = 10_000_000,
    text: Annotated[int, typer.Option(help="Events in CSV, and in JSON Lines.")] = 2_000_000,
    files: Annotated[int, typer.Option(help="Files of the landing with nothing new.")] = 2_000,
    folder: Annotated[Path | None, typer.Option(help="Where to write; a temporary one.")] = None,
) -> None:
    """Times loads side by side and prints them."""
    console = Console()
    table = Table("format", "rows", "ours", "bare", "ratio", "target", "our peak", "bare peak")
    with tempfile.TemporaryDirectory(prefix="csw-bench-", dir=folder) as scratch:
        for kind, events in (("parquet", parquet), ("csv", text), ("jsonl", text)):
            with console.status(f"{kind}: {events:,} events …"):
                write_events(Path(scratch) / "landing", kind, events)
                bare = in_a_process(
                    load_with_duckdb, Path(scratch) / "landing", Path(scratch) / "bare"
                )
                ours = in_a_process(
                    load_with_project, Path(scratch) / "landing", Path(scratch) / "ours"
                )
            assert ours.rows == bare.rows, (ours, bare)  # noqa: S101 - a benchmark of equals
            shutil.rmtree(Path(scratch) / "landing")
            table.add_row(
                kind,
                f"{ours.rows:,}",
                *(f"{run.seconds:.1f} s" for run in (ours, bare)),
                f"{ours.seconds / bare.seconds:.2f}",
                f"{TARGETS[kind]:.1f}",
                *(f"{run.peak / 2**30:.2f} GiB" for run in (ours, bare)),
            )
        first, again = nothing_new(Path(scratch) / "many", files)
    console.print(table)
    console.print(f"{files:,} files: loaded in {first:.1f} s; nothing new in {again:.2f} s")
    console.print(f"DuckDB bounded to {MEMORY_LIMIT} and {THREADS} threads.")


if __name__ == "__main__":
    typer.run(main)
