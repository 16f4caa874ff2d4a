"""Dagster's event log kept open: what it writes is read by Dagster's own storage."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

from orchestration.event_log import KeptOpenEventLog, stored_together
from orchestration.settings import ROOT

IS_THERE = dg.AssetCheckSpec("is_there", asset="thing")


@dg.asset(check_specs=[IS_THERE])
def thing() -> dg.MaterializeResult:
    return dg.MaterializeResult(
        metadata={"rows": 3}, check_results=[dg.AssetCheckResult(passed=True)]
    )


def planned_job() -> dg.JobDefinition:
    return dg.Definitions(assets=[thing], jobs=[dg.define_asset_job("all_of_it")]).resolve_job_def(
        "all_of_it"
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
    assert check.status == AssetCheckExecutionRecordStatus.SUCCEEDED


def test_a_plan_is_stored_as_dagster_stores_it(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    """Checks that nobody has planned, or an asset that the UI has never heard of."""
    run = instance.create_run_for_job(planned_job(), asset_selection=frozenset({thing.key}))
    stock = SqliteEventLogStorage(str(tmp_path / "history" / "runs"))
    planned = [event.dagster_event_type for event in stock.get_logs_for_run(run.run_id)]
    assert planned == [
        dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
        dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED,
    ]
    (record,) = stock.get_asset_records([thing.key])
    assert record.asset_entry.last_run_id == run.run_id
    (check,) = stock.get_asset_check_execution_history(IS_THERE.key, limit=5)
    assert (check.run_id, check.status) == (run.run_id, AssetCheckExecutionRecordStatus.PLANNED)


def test_what_is_stored_together_outlives_an_error(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    """Results told before a step failed that its failure takes with it."""
    stock = SqliteEventLogStorage(str(tmp_path / "history" / "runs"))
    run = instance.create_run_for_job(planned_job(), asset_selection=frozenset({thing.key}))
    before = len(stock.get_logs_for_run(run.run_id))

    def fail_half_way() -> None:
        with stored_together(instance, run.run_id):
            with stored_together(instance, run.run_id):
                instance.report_engine_event("one", run)
            instance.report_engine_event("another", run)
            assert len(stock.get_logs_for_run(run.run_id)) == before  # not yet
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    assert len(stock.get_logs_for_run(run.run_id)) == before + 2
    instance.report_engine_event("a third", run)
    assert len(stock.get_logs_for_run(run.run_id)) == before + 3


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
