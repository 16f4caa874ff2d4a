"""The usage models beside hand-written scripts: back-fill, one more day, a run with nothing new.

    .venv/bin/python -m benchmarks.usage [--events 100000000] [--days 730]

Every step runs in a process of its own; printed are its seconds, its peak of memory and the ratios,
after a comparison of the tables that each side made. A competitor that made others is no
competitor and gets no ratio.
"""

import os
import platform
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from assets.extracts.sampling.many import FIRST_DAY, write_many
from assets.extracts.sampling.sample import THROUGH, write_sample
from benchmarks.usage import ours
from benchmarks.usage.compare import (
    MARTS,
    Sums,
    differences,
    mart_differences,
    sums_of,
    sums_of_ours,
)
from benchmarks.usage.history import DayMore, days_more
from benchmarks.usage.runs import MEMORY_LIMIT, THREADS, Step, StepError, run_module

# Competitor: what it needs besides the project, and what its engine calls its threads.
COMPETITORS = {
    "duckdb": ("duckdb", {}),
    "polars": ("polars", {"POLARS_MAX_THREADS": str(THREADS)}),
    "clickhouse": ("chdb", {}),
    "pandas": ("pandas", {}),
}
DAY_TARGET = 1.2
# What only those marts read that are compared; their seconds count with them.
READ_BY_MARTS = ("int_actor_feature_months", "int_user_licenses_chosen", "int_usage_days_published")
console = Console()


def main(
    events: Annotated[int, typer.Option(help="Events of the back-fill.")] = 100_000_000,
    days: Annotated[int, typer.Option(help="Days that they fall on.")] = 730,
    pandas: Annotated[int, typer.Option(help="Events at most that pandas gets.")] = 5_000_000,
    only: Annotated[str, typer.Option(help="backfill, day, nothing, or all.")] = "all",
    folder: Annotated[Path | None, typer.Option(help="Where to write; a temporary one.")] = None,
) -> None:
    """Times the usage models side by side and prints the ratios."""
    parts = {"backfill", "day", "nothing"} if only == "all" else {only}
    print_machine()
    with tempfile.TemporaryDirectory(prefix="csw-bench-", dir=folder) as scratch:
        if "backfill" in parts:
            backfill(Path(scratch) / "backfill", events=events, days=days, pandas=pandas)
        if "day" in parts:
            print_days(Path(scratch) / "day", events=events, days=days)
        if "nothing" in parts:
            print_nothing_new(Path(scratch) / "nothing")


def print_machine() -> None:
    """What the numbers hold for."""
    versions = {name: version(name) for name in ("duckdb", "polars", "dbt-duckdb", "dagster")}
    for optional in ("chdb", "pandas"):
        versions[optional] = version(optional) if find_spec(optional) else "none"
    memory = next(line.split()[1] for line in Path("/proc/meminfo").read_text("utf-8").splitlines())
    console.print(
        f"{platform.machine()}, {os.cpu_count()} cores, {THREADS} threads, "
        f"{int(memory) / 2**20:.0f} GiB of memory, "
        f"DuckDB bounded to {MEMORY_LIMIT}, Python {platform.python_version()}, "
        + ", ".join(f"{name} {number}" for name, number in versions.items())
    )


@dataclass(frozen=True, kw_only=True)
class Ours:
    """Our side of the back-fill: its home, its steps, its rollups' sums, its marts' seconds."""

    home: Path
    load: Step
    rollups: Step
    marts: Step
    sums: Sums
    mart_seconds: float

    @property
    def seconds(self) -> float:
        """From the files to the rollups."""
        return self.load.seconds + self.rollups.seconds

    @property
    def cpu(self) -> float:
        """The same in seconds of CPU, which tell more on a machine that has other work."""
        return self.load.cpu + self.rollups.cpu


def backfill(folder: Path, *, events: int, days: int, pandas: int) -> None:
    """Everything at once: ours, and each competitor over the same files."""
    landing = folder / "landing"
    with console.status(f"{events:,} events are written …"):
        written = write_many(landing, events=events, days=days)
    as_of = datetime.combine(written.through, datetime.min.time(), UTC) + timedelta(days=1)
    title = f"Back-fill of {written.events_written:,} events in {days} days"
    table = Table(
        "what", "load", "rollups", "sum", "ours / it", "CPU", "ours / it", "peak", "same tables",
        title=title,
    )  # fmt: skip
    with console.status("ours …"):
        own = fill_ours(landing, folder / "home", as_of)
    rows = [[
        "ours: loader, dbt", _seconds(own.load.seconds), _seconds(own.rollups.seconds),
        _seconds(own.seconds), "", _seconds(own.cpu), "", _gibibytes(own.load, own.rollups), "",
    ]]  # fmt: skip
    console.print(
        f"Ours through every usage mart: {_seconds(own.seconds + own.marts.seconds)}, of it "
        f"{_seconds(own.marts.seconds)} after the rollups, peak {_gibibytes(own.marts)}."
    )
    for name in COMPETITORS:
        # A side takes many minutes at full size: what is known is told at once.
        console.print(" · ".join(cell for cell in rows[-1] if cell))
        share = min(1.0, pandas / events) if name == "pandas" else 1.0
        with console.status(f"{name} …"):
            rows.append(compete(name, folder, as_of, share=share, own=own))
    for row in rows:
        table.add_row(*row)
    console.print(table)
    shutil.rmtree(folder)


def fill_ours(landing: Path, home: Path, as_of: datetime) -> Ours:
    """Loads, rolls up and builds the marts, a process each."""
    load = run_module("benchmarks.usage.ours", str(landing), str(home), as_of.isoformat())
    ours.parse(home, as_of)
    rollups = ours.build(home, as_of, models=ours.ROLLUPS)
    marts = ours.build(home, as_of, models=ours.MARTS, without=ours.ROLLUPS)
    seconds = ours.model_seconds(home)
    return Ours(
        home=home,
        load=load,
        rollups=rollups,
        marts=marts,
        sums=sums_of_ours(home),
        mart_seconds=sum(seconds.get(name, 0.0) for name in (*MARTS, *READ_BY_MARTS)),
    )


def compete(name: str, folder: Path, as_of: datetime, *, share: float, own: Ours) -> list[str]:
    """A row of the table: what a competitor took for the first `share` of the days."""
    needs, environment = COMPETITORS[name]
    if find_spec(needs) is None:
        return [name, *[""] * 7, f"skipped: {needs} is not installed"]
    out = folder / name
    first = datetime.combine(FIRST_DAY, datetime.min.time(), UTC)
    until = first + timedelta(days=int((as_of - first).days * share))
    said = (str(folder / "landing"), str(out), until.isoformat())
    try:
        step = run_module(f"benchmarks.usage.with_{name}", *said, environment=environment)
    except StepError as error:
        return [name, *[""] * 7, f"did not survive: {str(error).strip().splitlines()[-1][:60]}"]
    wrong = differences(own.sums, sums_of(out)) if share == 1.0 else []
    if name == "duckdb":
        wrong += mart_differences(own.home, out)
        print_marts(own, step)
    shutil.rmtree(out)
    for sentence in wrong:
        console.print(f"[red]{name}[/] {sentence}")
    seconds = step.said["load"] + step.said["rollups"]
    same = "yes" if share == 1.0 else f"not compared: {share:.0%} of the days"
    return [
        name, _seconds(step.said["load"]), _seconds(step.said["rollups"]), _seconds(seconds),
        "" if wrong else f"{own.seconds * share / seconds:.2f}", _seconds(step.said["cpu"]),
        "" if wrong else f"{own.cpu * share / step.said['cpu']:.2f}", _gibibytes(step),
        f"no: {len(wrong)} differences" if wrong else same,
    ]  # fmt: skip


def print_marts(own: Ours, script: Step) -> None:
    """The marts that the DuckDB script makes too."""
    seconds = script.said["marts"]
    console.print(
        f"{len(MARTS)} marts that grow with the events: ours {_seconds(own.mart_seconds)}, "
        f"the DuckDB script {_seconds(seconds)}, ratio {own.mart_seconds / seconds:.2f}."
    )


def print_days(folder: Path, *, events: int, days: int) -> None:
    """One more day after ever longer histories."""
    folder.mkdir()
    table = Table(
        "history", "load", "dbt itself", "rollups", "other models", "sum", "to the first",
        "without dbt itself", "peak", title=f"One more day of {events // days:,} events",
    )  # fmt: skip
    measured: list[DayMore] = []
    for day in days_more(folder, events=events, days=days):
        measured.append(day)
        first = measured[0]
        own = (day.seconds - day.dbt) / (first.seconds - first.dbt)
        table.add_row(
            f"{day.history} days", _seconds(day.load.seconds), _seconds(day.dbt),
            _seconds(day.rollups), _seconds(day.others), _seconds(day.seconds),
            f"{day.seconds / first.seconds:.2f}", f"{own:.2f}", _gibibytes(day.load, day.build),
        )  # fmt: skip
        console.print(f"one more day after {day.history}: {_seconds(day.seconds)}")
    console.print(table, f"The target is {DAY_TARGET} of the first.")
    print_growth(measured[0], measured[-1])
    shutil.rmtree(folder)


def print_growth(first: DayMore, last: DayMore) -> None:
    """The models whose cost of a day grew most with the history."""
    grown = {name: last.models[name] - first.models.get(name, 0.0) for name in last.models}
    table = Table("model", f"after {first.history}", f"after {last.history}", title="Grew most")
    for name in sorted(grown, key=lambda one: -grown[one])[:12]:
        table.add_row(name, _seconds(first.models.get(name, 0.0)), _seconds(last.models[name]))
    console.print(table)


def print_nothing_new(folder: Path) -> None:
    """A run over the small sample with nothing new, by its parts."""
    landing, home = folder / "landing", folder / "home"
    write_sample(landing)
    said = (str(landing), str(home), (THROUGH + timedelta(days=1)).isoformat())
    with console.status("a run with nothing new …"):
        run_module("benchmarks.usage.nothing_new", *said)
        step = run_module("benchmarks.usage.nothing_new", *said)
    table = Table("part", "seconds", title="A run with nothing new (the small sample)")
    for part, seconds in sorted(step.said.items(), key=lambda one: -one[1]):
        table.add_row(part, _seconds(seconds))
    table.add_row("together", _seconds(step.seconds))
    console.print(table)


def _seconds(seconds: float) -> str:
    return f"{seconds:,.1f} s"


def _gibibytes(*steps: Step) -> str:
    return f"{max(step.peak for step in steps) / 2**30:.2f} GiB"


if __name__ == "__main__":
    typer.run(main)
