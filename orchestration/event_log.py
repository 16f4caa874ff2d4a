"""Dagster's event log in SQLite, opened once instead of for every event.

A run writes some 2,000 events, each to the run's database and most to the index as well. Dagster's
own storage makes an engine, a connection and a synchronous commit for each of them, and looks up
the columns of a table for most, which was a fifth of a small run's seconds. The files and
everything that reads them stay Dagster's.
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dagster._core.events import ASSET_EVENTS, DagsterEventType
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._core.storage.event_log.sqlite.sqlite_event_log import (
    INDEX_SHARD_NAME,
    SqliteEventLogStorage,
)
from sqlalchemy import Connection, Engine, StaticPool, create_engine
from sqlalchemy.event import listen
from typing_extensions import override

from orchestration.settings import dagster_home

if TYPE_CHECKING:
    from dagster import DagsterInstance
    from dagster._core.events.log import EventLogEntry
    from dagster._serdes import ConfigurableClassData

_BUSY_SECONDS = 60
_KEPT = 8
_PLANNED = frozenset(
    {
        DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
        DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED,
    }
)


def stored_together(instance: "DagsterInstance", run_id: str) -> AbstractContextManager[None]:
    """A run's events of meanwhile in one commit, where this log is the instance's."""
    log = instance.event_log_storage
    return log.together(run_id) if isinstance(log, KeptOpenEventLog) else nullcontext()


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

    @contextmanager
    def together(self, run_id: str) -> Iterator[None]:
        """What is stored of this run meanwhile is one commit, however it ends.

        Nobody else can write to the index meanwhile: it is for events that follow at once upon
        each other.
        """
        with self._lock:
            held = ExitStack()
            for shard in (INDEX_SHARD_NAME, run_id):
                held.enter_context(self._hold(shard))
            try:
                yield
            finally:
                held.close()  # told of no exception: what was stored before it is so

    @override
    def store_event_batch(self, events: Sequence["EventLogEntry"]) -> None:
        """A run announces some 800 materializations and checks: one commit, or none of them."""
        with self._lock, ExitStack() as held:
            for shard in sorted({INDEX_SHARD_NAME, *(event.run_id for event in events)}):
                held.enter_context(self._hold(shard))
            if {event.dagster_event_type for event in events} <= _PLANNED:
                self._store_planned(events)
            else:
                for event in events:
                    self.store_event(event)

    def _store_planned(self, events: Sequence["EventLogEntry"]) -> None:
        """As `store_event` does for each of them, with one statement where one will do."""
        rows = [self._event_to_row(event) for event in events]
        inserted = SqlEventLogStorageTable.insert()
        for run_id in {event.run_id for event in events}:
            with self._connect(run_id) as connection:
                connection.execute(inserted, [row for row in rows if row["run_id"] == run_id])
        with self._connect(INDEX_SHARD_NAME) as connection:
            ids = connection.scalars(
                inserted.returning(SqlEventLogStorageTable.c.id, sort_by_parameter_order=True), rows
            ).all()
            for event, event_id in zip(events, ids, strict=True):
                if event.dagster_event_type in ASSET_EVENTS:
                    self._store_asset_event(connection, event, event_id)  # a plan has no tags
                else:
                    self.store_asset_check_event(event, event_id)

    @contextmanager
    def _hold(self, shard: str) -> Iterator[None]:
        """What is done with a shard inside is one transaction, or part of one that is open."""
        if shard in self._held:
            yield
            return
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
    def _has_asset_key_index_cols_on_connection(self, conn: Connection) -> bool:
        """Asked for every event of an asset: these databases are made by this very version."""
        return True

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
            oldest = next(shard for shard in self._engines if shard not in self._held)
            self._engines.pop(oldest).dispose()
        return engine

    def _open(self, shard: str) -> Engine:
        engine = create_engine(
            self.conn_string_for_shard(shard),
            poolclass=StaticPool,  # one connection, one user at a time: the lock is held
            connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
        )
        listen(engine, "connect", _need_no_sync)
        self._initdb(engine)
        return engine


def _need_no_sync(connection: sqlite3.Connection, _record: Any) -> None:
    """A killed process loses nothing so; a machine without power, at most the last events."""
    connection.execute("pragma synchronous = normal")
