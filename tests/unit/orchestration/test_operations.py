"""What looks after runs: one that was killed is ended, kept and told; the next can begin."""

import json
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa

from assets.alerts.ledger import create_ledger
from assets.alerts.ledger_tables import actions
from assets.alerts.operations import last_runs
from orchestration.jobs import build_jobs
from orchestration.operations import has_news, look_after
from orchestration.run_lock import hold_build
from orchestration.settings import Settings

NOW = datetime(2025, 3, 2, 6, tzinfo=UTC)


@dg.job
def daily() -> None:
    """A job to have been killed."""


@dg.job
def alerts() -> None:
    """A job to be going on."""


def test_a_killed_run_is_ended_and_told_although_no_run_comes_after_it(tmp_path: Path) -> None:
    """A day that queues for ever behind a run that the machine's restart has ended."""
    settings = Settings(home=tmp_path, landing=tmp_path / "landing")
    with dg.instance_for_test() as instance:
        run = instance.create_run_for_job(daily, status=dg.DagsterRunStatus.STARTED)
        lock = settings.build_lock
        with hold_build(lock, holder="", wait_seconds=0, say=print, on_dead_holder=print):
            lock.write_text(json.dumps({"holder": f"run {run.run_id}", "pid": 1}))
            assert not _died(settings, instance, run.run_id), "it holds the build"
        lock.write_text(json.dumps({"holder": f"run {run.run_id}", "pid": 1}))
        assert has_news(settings, instance, now=NOW)
        assert _died(settings, instance, run.run_id)
        (kept,) = last_runs(create_ledger(settings.ledger))
    assert (kept.run_id, kept.is_green) == (run.run_id, False)
    told = (settings.outbox / "ops.jsonl").read_text("utf-8")
    assert "The last run of daily failed: The process of this run died while it held" in told


def test_what_nobody_was_told_is_told_without_a_new_release(tmp_path: Path) -> None:
    """A receiver that was down for a minute, heard of on the next day; or a killed delivery's."""
    settings = Settings(home=tmp_path, landing=tmp_path / "landing")
    with dg.instance_for_test() as instance:
        look_after(settings, instance, now=NOW, definitions=dg.Definitions())
        assert not has_news(settings, instance, now=NOW)
        with create_ledger(settings.ledger).begin() as ledger:
            ledger.execute(sa.update(actions).values(state="pending"))
        going_on = instance.create_run_for_job(alerts, status=dg.DagsterRunStatus.STARTED)
        assert not has_news(settings, instance, now=NOW), "the evaluation tells it"
        instance.report_run_failed(going_on)
        look_after(settings, instance, now=NOW, definitions=dg.Definitions())
        assert not has_news(settings, instance, now=NOW)
    with create_ledger(settings.ledger).connect() as ledger:
        assert set(ledger.scalars(sa.select(actions.c.state))) == {"sent"}


def _died(settings: Settings, instance: dg.DagsterInstance, run_id: str) -> bool:
    look_after(settings, instance, now=NOW, definitions=dg.Definitions())
    run = instance.get_run_by_id(run_id)
    return run is not None and run.status is dg.DagsterRunStatus.FAILURE


@pytest.mark.filterwarnings("ignore:Parameter `partitions_def`:DeprecationWarning")
def test_the_small_jobs_have_a_longest_time() -> None:
    """A killed evaluation that its sensor waits for ever for."""
    _, *small = build_jobs(dg.DailyPartitionsDefinition("2025-01-01"))
    assert all(job.tags["dagster/max_runtime"] == "1800" for job in small)
