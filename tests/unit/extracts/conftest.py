"""A landing, a build and a run to load it with."""

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from assets.extracts.contracts import load_contracts
from assets.extracts.known_log import KnownLog
from assets.extracts.landing import open_landing, profile_for
from assets.extracts.loader import TableLoad, load_table, prepare

DAY = datetime(2025, 1, 1, tzinfo=UTC)


class Bench:
    """One landing and one build at a time; `rebuild` throws the build away."""

    def __init__(self, landing: Path) -> None:
        self.landing = landing
        self.landing.mkdir()
        self.connection = duckdb.connect()
        prepare(self.connection)

    def rebuild(self) -> None:
        self.connection.close()
        self.connection = duckdb.connect()
        prepare(self.connection)

    def write(self, path: str, content: str | bytes) -> Path:
        file = self.landing / path
        file.parent.mkdir(parents=True, exist_ok=True)
        data = content.encode() if isinstance(content, str) else content
        file.write_bytes(gzip.compress(data) if path.endswith(".gz") else data)
        return file

    def load(
        self, table: str, as_of: datetime = DAY, *, run_id: str = "run", **options: Any
    ) -> TableLoad:
        landing = options.pop("at", None) or open_landing(self.landing)
        return load_table(
            self.connection,
            contract=load_contracts()[table],
            profile=options.pop("profile", None) or profile_for(landing, None),
            landing=landing,
            as_of=as_of,
            known=KnownLog.beside(landing, otherwise=self.landing.parent / "home"),
            run_id=run_id,
            loaded_at=datetime(2030, 1, 1, tzinfo=UTC),
            **options,
        )

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql).fetchall()

    def content(self, table: str) -> list[tuple[Any, ...]]:
        """A raw table without what differs from build to build."""
        return self.rows(f"select * exclude (_delivery_id) from {table} order by all")  # noqa: S608


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "landing")
    yield made
    made.connection.close()


def events(*ids: str, day: str = "2024-12-01", quantity: str = "1") -> str:
    """An event file with these ids."""
    lines = [f"{i},a1,u1,{day}T10:00:00Z,use,{quantity}" for i in ids]
    header = "event_id,account_id,user_id,occurred_at,event_type,quantity"
    return "\n".join([header, *lines]) + "\n"


def accounts(*ids: str, tier: str = "Pro") -> str:
    """An account file with these ids."""
    lines = [f"{i},Name of {i},{tier},2024-01-0{n % 9 + 1}" for n, i in enumerate(ids)]
    return "\n".join(["account_id,account_name,tier,created_at", *lines]) + "\n"


@pytest.fixture(name="events")
def events_fixture() -> Any:
    return events


@pytest.fixture(name="accounts")
def accounts_fixture() -> Any:
    return accounts
