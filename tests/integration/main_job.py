"""The product as a person runs it: the real `csw`, in a process of its own, on a small sample."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from assets.extracts.sampling.sample import write_sample

ROOT = Path(__file__).parents[2]
CSW = Path(sys.executable).parent / "csw"
SUBJECTS = ("accounts", "revenue", "usage", "support", "health", "alerts")

# Beside it stand the targets, each with its manifest.
PARSED = "dbt/build/partial_parse.msgpack"
_parsed: list[Path] = []

FIRST_DAY = date(2025, 10, 1)
HISTORY_THROUGH = date(2025, 12, 20)
ONE = date(2025, 12, 21)  # the first day after the history


@dataclass(frozen=True, kw_only=True)
class Ran:
    """How one call of `csw` ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Everything it printed."""
        return self.out + self.err

    def green(self) -> "Ran":
        """The same, after making sure that it went well."""
        assert self.code == 0, self.said
        return self


@dataclass(frozen=True, kw_only=True)
class FirstDay:
    """A warehouse after its first run, of the small sample through day one; made once for all.

    Attributes:
        home: The warehouse, for the one file of tests that goes on with it.
        as_it_was: What readers of it had, for all others.
        ran: How the run ended.
    """

    home: "Home"
    as_it_was: "Home"
    ran: Ran


@dataclass(frozen=True, kw_only=True)
class Home:
    """One warehouse: what `csw run --home` writes, and what readers open."""

    path: Path
    landing: Path

    @property
    def releases(self) -> Path:
        return self.path / "releases"

    def run(self, as_of: str, *arguments: str, **environment: str) -> Ran:
        """One run; a new home gets the parsed dbt project of one before, which takes seconds."""
        self.take_parsed()
        ran = csw(*self.arguments(as_of), *arguments, environment=environment)
        if not environment:
            self._leave_parsed()
        return ran

    def take_parsed(self) -> None:
        """What dbt made of our files is a function of them alone: the first home's serves all."""
        if _parsed[-1].exists() and not (self.path / "dbt").exists():
            self.path.mkdir(parents=True, exist_ok=True)
            shutil.copytree(_parsed[-1], self.path / "dbt")

    def _leave_parsed(self) -> None:
        if _parsed[-1].exists() or not (self.path / PARSED).is_file():
            return
        made = Path(tempfile.mkdtemp(dir=_parsed[-1].parent))
        for file in (*self.path.glob("dbt/target-*/*"), self.path / PARSED):
            place = made / file.relative_to(self.path / "dbt")
            place.parent.mkdir(exist_ok=True)
            shutil.copyfile(file, place)
        with suppress(OSError):  # the other worker was first
            made.rename(_parsed[-1])

    def arguments(self, as_of: str) -> Sequence[str]:
        """The command line of a run of this home."""
        return (
            "run", "--home", str(self.path), "--landing", str(self.landing), "--as-of", as_of,
        )  # fmt: skip

    def names(self) -> list[str]:
        """The releases that readers see, oldest first."""
        if not self.releases.is_dir():
            return []
        return sorted(p.name for p in self.releases.iterdir() if not p.is_symlink())

    def manifest(self, release: str = "current") -> dict[str, Any]:
        text = (self.releases / release / "manifest.json").read_text("utf-8")
        found: dict[str, Any] = json.loads(text)
        return found

    def hashes(self, release: str = "current") -> dict[str, str]:
        """The content hash of every table of a subject, by `schema.table`."""
        tables = self.manifest(release)["tables"].items()
        return {n: f["content_hash"] for n, f in tables if n.split(".")[0] in SUBJECTS}

    def open(self, release: str = "current") -> duckdb.DuckDBPyConnection:
        """A reader, as analysts open one."""
        connection = duckdb.connect(str(self.releases / release / "csw.duckdb"), read_only=True)
        connection.execute("set TimeZone = 'UTC'")
        return connection

    def rows(self, sql: str, release: str = "current") -> list[tuple[Any, ...]]:
        with self.open(release) as connection:
            return connection.execute(sql).fetchall()

    def told(self) -> list[dict[str, Any]]:
        """What the alerts' file was told, line by line."""
        lines = (self.path / "outbox" / "alerts.jsonl").read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines]


def first_day(folder: Path) -> FirstDay:
    """Runs the first day in a folder, or takes what another worker ran there."""
    folder.mkdir(exist_ok=True)
    home, copy = (Home(path=folder / n, landing=folder / "landing") for n in ("home", "as_it_was"))
    said = folder / "ran.json"
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not said.exists():
            land_through(home.landing, ONE)
            ran = home.run(as_of(ONE)).green()
            for name in ("releases", "outbox", "logs"):
                shutil.copytree(home.path / name, copy.path / name, symlinks=True)
            said.write_text(json.dumps(asdict(ran)), "utf-8")
    return FirstDay(home=home, as_it_was=copy, ran=Ran(**json.loads(said.read_text("utf-8"))))


def as_of(last_full_day: date) -> str:
    """The instant at which a day is over."""
    return (last_full_day + timedelta(days=1)).isoformat()


def parsed_in(folder: Path) -> None:
    """Names the folder in which the first home leaves its parsed project for the others."""
    _parsed.append(folder)


def csw(*arguments: str, environment: Mapping[str, str] | None = None) -> Ran:
    """Calls the installed command as a person does, without what the caller's shell has set."""
    done = subprocess.run(  # noqa: S603 - our own command and arguments
        [CSW, *arguments],
        cwd=ROOT,
        env=clean_environment(environment or {}),
        capture_output=True,
        text=True,
        check=False,
    )
    return Ran(code=done.returncode, out=done.stdout, err=done.stderr)


def clean_environment(more: Mapping[str, str]) -> dict[str, str]:
    """The environment without anything that another test or a person set for the product."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CSW_", "DAGSTER_", "DBT_"))}
    return kept | {"COLUMNS": "250"} | dict(more)


def land_through(landing: Path, day: date) -> None:
    """The small sample with its deliveries through a day; a later day adds to it."""
    write_sample(
        landing,
        accounts=12,
        first_day=FIRST_DAY,
        history_through=HISTORY_THROUGH,
        through=day,
    )


def bytes_under(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, with its content."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
