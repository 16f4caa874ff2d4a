"""The build database as a resource: held by one run at a time, from its first asset to its last."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import dagster as dg
import duckdb
from dagster_duckdb import DuckDBResource
from typing_extensions import override

from assets.extracts.tables import prepare
from assets.releases.publishing import heal
from orchestration.run_lock import hold_build
from orchestration.settings import Settings


class BuildDatabase(DuckDBResource):
    """`build.duckdb`: a run holds its lock for as long as it goes on, and opens it asset by asset.

    Whoever gets the lock heals what a dead holder left: its run is marked failed, its half-built
    release removed, a release that it had recorded flipped to.
    """

    home: str
    lock_wait_seconds: float

    @override
    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Self]:
        log = context.log or dg.get_dagster_logger()
        with hold_build(
            Path(self.home) / "build.lock",
            holder=f"run {context.run_id}",
            wait_seconds=self.lock_wait_seconds,
            say=log.warning,
            on_dead_holder=lambda holder: mark_failed(context.instance, holder),
        ):
            with self.get_connection() as connection:
                prepare(connection)
                for sentence in heal(connection, Path(self.home) / "releases"):
                    log.warning(sentence)
            yield self

    @override
    @contextmanager
    def get_connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with super().get_connection() as connection:
            try:
                # TimeZone belongs to ICU, which is there only once a connection is open.
                connection.execute("set TimeZone = 'UTC'")
                # DuckDB would draw its bar into files and pipes, too.
                connection.execute("set enable_progress_bar = ?", [sys.stdout.isatty()])
                yield connection
            finally:
                connection.close()


def build_database(settings: Settings) -> BuildDatabase:
    """The build's resource, with the settings' bounds on memory and threads."""
    return BuildDatabase(
        database=str(settings.build_database),
        connection_config={
            "memory_limit": settings.memory_limit,
            "threads": settings.threads,
            "temp_directory": str(settings.home / "spill"),
        },
        home=str(settings.home),
        lock_wait_seconds=settings.lock_wait_minutes * 60,
    )


def mark_failed(instance: dg.DagsterInstance | None, holder: str) -> None:
    """Mark the run of a holder that died without giving the lock back."""
    run = instance.get_run_by_id(holder.removeprefix("run ")) if instance else None
    if instance and run and not run.is_finished:
        instance.report_run_failed(run, "The process of this run died while it held the build.")
