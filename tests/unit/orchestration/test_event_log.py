"""Dagster's event log kept open: what it writes is read by Dagster's own storage."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

from orchestration.event_log import KeptOpenEventLog
from orchestration.settings import ROOT

IS_THERE = dg.AssetCheckSpec("is_there", asset="thing")


@dg.asset(check_specs=[IS_THERE])
def thing() -> dg.MaterializeResult:
    return dg.MaterializeResult(
        metadata={"rows": 3}, check_results=[dg.AssetCheckResult(passed=True)]
    )


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """An instance with this repository's settings of Dagster."""
    settings = (ROOT / "orchestration" / "dagster.yaml").read_text("utf-8")
    (tmp_path / "dagster.yaml").write_text(settings)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with dg.DagsterInstance.get() as found:
        yield found


def test_dagsters_own_storage_reads_what_was_written(
    instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A UI of another process, or a later Dagster, that doesn't find a run's events."""
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "10")
    done = dg.materialize([thing], instance=instance)
    assert isinstance(instance.event_log_storage, KeptOpenEventLog)
    stock = SqliteEventLogStorage(str(tmp_path / "history" / "runs"))
    told = [event.dagster_event_type for event in stock.get_logs_for_run(done.run_id)]
    assert told == [e.dagster_event_type for e in instance.all_logs(done.run_id)]
    assert dg.DagsterEventType.RUN_SUCCESS in told
    latest = stock.get_latest_materialization_events([thing.key])[thing.key]
    assert latest is not None
    assert latest.run_id == done.run_id
    (check,) = stock.get_asset_check_execution_history(IS_THERE.key, limit=5)
    assert check.run_id == done.run_id


def test_a_log_of_many_runs_keeps_few_files_open(tmp_path: Path) -> None:
    """A daemon that runs out of files after a year of runs."""
    log = KeptOpenEventLog(str(tmp_path))
    for run in range(20):
        assert log.get_logs_for_run(f"run-{run}") == []
    assert len(log._engines) == 8  # noqa: SLF001
    log.wipe()
    assert log.get_logs_for_run("run-19") == []
    log.dispose()
    assert not log._engines  # noqa: SLF001
