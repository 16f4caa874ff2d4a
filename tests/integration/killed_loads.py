"""Loads that end themselves, as `kill -9` would, at points of a load; each is run again.

Called as `python killed_loads.py FOLDER STRIDE`; prints as JSON at which points it killed, at which
the load lived on, and after which the tables are not those of a load that nobody killed. Every
STRIDE-th statement is a point, and whatever begins, ends or follows a transaction; 1 means all.
"""

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import duckdb

from assets.extracts.contracts import load_contracts
from assets.extracts.known_log import KnownLog
from assets.extracts.landing import open_landing, profile_for
from assets.extracts.loader import load_table
from assets.extracts.stores import Folder
from assets.extracts.tables import prepare

FIRST = datetime(2025, 1, 1, tzinfo=UTC)
TABLES = ("events.events", "crm.accounts")
EVENTS = "event_id,account_id,user_id,occurred_at,event_type,quantity\n"
ACCOUNTS = "account_id,account_name,created_at\n"
BOOKS = (
    "select * exclude (loaded_at, run_id) from landing.deliveries order by delivery_id",
    "select * from landing.quarantine order by delivery_id, row_number",
    "select * from landing.event_days order by all",
)


class Mortal:
    """A connection, or a store, that dies before or after the n-th thing that it is told to do."""

    told: ClassVar[list[str]] = []
    dies_at = -1

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def execute(self, *arguments: Any) -> Any:
        """A statement; the point is before it."""
        maybe_die(str(arguments[0]))
        return self._inner.execute(*arguments)


def maybe_die(what: str) -> None:
    """Ends the process, unflushed, if this is the point."""
    Mortal.told.append(what)
    if len(Mortal.told) == Mortal.dies_at:
        os.kill(os.getpid(), signal.SIGKILL)


def dying_write(self: Folder, path: str, data: bytes) -> bool:
    """The log is written; points before and after it."""
    maybe_die("log")
    written = _write(self, path, data)
    maybe_die("log")
    return written


_write = Folder.write


def events(*ids: str) -> str:
    return EVENTS + "".join(f"{i},a1,u1,2024-12-01T10:00:00Z,use,1\n" for i in ids)


def accounts(*ids: str) -> str:
    return ACCOUNTS + "".join(f"{i},Name,2024-01-01\n" for i in ids)


def land(landing: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        file = landing / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def load(home: Path, as_of: datetime, *, dies_at: int = -1) -> list[str]:
    """Loads what is new, or dies on the way; what each point was."""
    Mortal.told.clear()
    Mortal.dies_at = dies_at
    landing = open_landing(home / "landing")
    with duckdb.connect(str(home / "build.duckdb")) as connection:
        connection.execute("set threads = 1")
        known = KnownLog.beside(landing, otherwise=home)
        for table in TABLES:
            load_table(
                Mortal(connection),  # type: ignore[arg-type]
                contract=load_contracts()[table],
                profile=profile_for(landing, None),
                landing=landing,
                as_of=as_of,
                known=known,
                run_id="run",
                loaded_at=FIRST,
                batch_bytes=1,
            )
    return Mortal.told


def content(home: Path) -> list[Any]:
    """The raw tables, the books and the log."""
    with duckdb.connect(str(home / "build.duckdb")) as connection:
        connection.execute("set TimeZone = 'UTC'")
        queries = [*(f"select * from {t} order by all" for t in TABLES), *BOOKS]  # noqa: S608
        found: list[Any] = [str(connection.execute(query).fetchall()) for query in queries]
    return [*found, (home / "landing/.csw/deliveries.jsonl").read_text()]


def in_a_child(work: Callable[[], Any]) -> Any:
    """What a process of its own makes of it; None if it was killed."""
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reads)
        said = json.dumps(work())
        with os.fdopen(writes, "w") as pipe:
            pipe.write(said)
        os._exit(0)
    os.close(writes)
    with os.fdopen(reads) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return json.loads(text) if text else None


def begin(home: Path) -> None:
    """A build with a first load in it, and what lands after that."""
    land(
        home / "landing",
        {
            "profile.yml": "name: mine\ndescription: Mine.\nextends: canonical\n"
            "tables: {crm.accounts: {mode: full}}\n",
            "events/events/a.csv": events("e1", "e2"),
            "events/events/b.csv": events("e2", "e3") + "e9,a1,u1,soon,use,1\n",
            "crm/accounts/dt=2024-12-01/a.csv": accounts("a1", "a2"),
        },
    )
    with duckdb.connect(str(home / "build.duckdb")) as connection:
        prepare(connection)
    load(home, FIRST)
    land(
        home / "landing",
        {
            "events/events/a.csv": events("e1", "e4"),
            "events/events/c.csv": events("e3", "e5"),
            "crm/accounts/dt=2024-12-02/a.csv": accounts("a1"),
            "crm/accounts/dt=2024-12-03/a.csv": "",
        },
    )


def chosen(told: list[str], stride: int) -> list[int]:
    """The points to die at, from 1."""
    edges = {"begin transaction", "commit", "log"}
    near = {n + after for n, what in enumerate(told, start=1) if what in edges for after in (0, 1)}
    return sorted(near & set(range(1, len(told) + 1)) | set(range(stride, len(told) + 1, stride)))


def rerun(home: Path) -> list[Any]:
    load(home, FIRST + timedelta(days=1))
    return content(home)


def main(folder: Path, stride: int) -> None:
    Folder.write = dying_write  # type: ignore[method-assign]
    load_contracts()  # once, and not in every child
    start, clean, killed = folder / "start", folder / "clean", folder / "killed"
    start.mkdir()
    in_a_child(lambda: begin(start))
    shutil.copytree(start, clean)
    told = in_a_child(lambda: load(clean, FIRST + timedelta(days=1)))
    points = chosen(told, stride)
    expected = in_a_child(lambda: content(clean))
    survived, different = [], []
    for point in points:
        shutil.rmtree(killed, ignore_errors=True)
        shutil.copytree(start, killed)
        as_of = FIRST + timedelta(days=1)
        if in_a_child(lambda p=point, at=as_of: load(killed, at, dies_at=p)) is not None:
            survived.append(point)
        if in_a_child(lambda: rerun(killed)) != expected:
            different.append(point)
    print(json.dumps({"points": points, "survived": survived, "different": different}))  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
