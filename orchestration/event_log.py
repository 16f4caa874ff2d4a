"""Dagster's event log in SQLite, opened once instead of for every event.

A run writes some 2,000 events, each to the run's database and most to the index as well. Dagster's
own storage makes an engine, a connection and a synchronous commit for each of them, which was a
fifth of a small run's seconds. The files and everything that reads them stay Dagster's.
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dagster._core.storage.event_log.sqlite.sqlite_event_log import (
    INDEX_SHARD_NAME,
    SqliteEventLogStorage,
)
from sqlalchemy import Connection, Engine, StaticPool, create_engine, event
from typing_extensions import override

from orchestration.settings import dagster_home

if TYPE_CHECKING:
    from dagster._core.events.log import EventLogEntry
    from dagster._serdes import ConfigurableClassData

_BUSY_SECONDS = 60
_KEPT = 8


class KeptOpenEventLog(SqliteEventLogStorage):
    """The event log with its latest databases kept open: the index, and those of a few runs."""

    def __init__(self, base_dir: str, inst_data: "ConfigurableClassData | None" = None) -> None:
        self._engines: dict[str, Engine] = {}
        self._held: dict[str, Connection] = {}
        self._lock = threading.RLock()  # a batch holds it while its events are stored
        super().__init__(base_dir, inst_data)

    @classmethod
    @override
    def config_type(cls) -> dict[str, Any]:
        return {}

    @classmethod
    @override
    def from_config_value(
        cls,
        inst_data: "ConfigurableClassData | None",
        config_value: Any,
    ) -> "KeptOpenEventLog":
        """The log in Dagster's own folder of its home."""
        return cls(str(dagster_home() / "history" / "runs"), inst_data)

    @contextmanager
    @override
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._lock:
            if shard in self._held:
                yield self._held[shard]
            else:
                with self._engine(shard).begin() as connection:
                    yield connection

    @override
    def store_event_batch(self, events: Sequence["EventLogEntry"]) -> None:
        """A run announces some 800 materializations and checks: one commit, or none of them."""
        with self._lock, ExitStack() as held:
            for shard in sorted({INDEX_SHARD_NAME, *(event.run_id for event in events)}):
                held.enter_context(self._hold(shard))
            for event in events:
                self.store_event(event)

    @contextmanager
    def _hold(self, shard: str) -> Iterator[None]:
        """What is done with a shard inside is one transaction."""
        with self._connect(shard) as connection:
            self._held[shard] = connection
            try:
                yield
            finally:
                del self._held[shard]

    @cached_property
    @override
    def supports_asset_checks(self) -> bool:
        """Asked for every check; Dagster's own answer opens the database anew."""
        return bool(super().supports_asset_checks)

    @override
    def wipe(self) -> None:
        self._close()
        super().wipe()

    @override
    def dispose(self) -> None:
        self._close()
        super().dispose()

    def _close(self) -> None:
        with self._lock:
            for engine in self._engines.values():
                engine.dispose()
            self._engines.clear()

    def _engine(self, shard: str) -> Engine:
        """The shard's engine, with its tables made; the longest unused one goes."""
        engine = self._engines.pop(shard, None) or self._open(shard)
        self._engines[shard] = engine
        if len(self._engines) > _KEPT:
            self._engines.pop(next(iter(self._engines))).dispose()
        return engine

    def _open(self, shard: str) -> Engine:
        engine = create_engine(
            self.conn_string_for_shard(shard),
            poolclass=StaticPool,  # one connection, one user at a time: the lock is held
            connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
        )
        event.listen(engine, "connect", _need_no_sync)
        self._initdb(engine)
        return engine


def _need_no_sync(connection: sqlite3.Connection, _record: Any) -> None:
    """A killed process loses nothing so; a machine without power, at most the last events."""
    connection.execute("pragma synchronous = normal")
