"""Run the jobs in this process, with progress for whoever watches."""

import contextlib
import shutil
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from assets.clock import AS_OF_TAG, last_full_day
from orchestration.run_lock import hold_build, leave_unfinished, name_holder
from orchestration.settings import ROOT, Settings

if TYPE_CHECKING:
    import dagster as dg


@dataclass(frozen=True, kw_only=True)
class RunOutcome:
    """How a run ended.

    Attributes:
        is_released: Whether a release was published.
        failures: What stopped it, or its alerts once it was published, a sentence each.
        seconds: Wall-clock seconds.
    """

    is_released: bool
    failures: tuple[str, ...]
    seconds: float


def run_daily(settings: Settings, as_of: datetime, console: Console) -> RunOutcome:
    """Landing to release, then the alerts, in this process.

    Raises:
        BuildBusyError: If another run holds the build.
    """
    started = time.perf_counter()
    dead: list[str] = []
    with hold_build(
        settings.build_lock,
        holder="csw run",
        wait_seconds=settings.lock_wait_minutes * 60,
        say=console.print,
        on_dead_holder=dead.append,
    ):
        for holder in dead:
            console.print(f"[yellow]{holder} died while it held the build; what it left is healed")
        console.print("[dim]reading definitions …")
        is_released, failures = _execute(settings, as_of, console, dead)
    return RunOutcome(
        is_released=is_released,
        failures=tuple(failures),
        seconds=time.perf_counter() - started,
    )


def prepare_dagster_home(settings: Settings) -> Path:
    """DAGSTER_HOME with this repository's settings of Dagster."""
    settings.dagster_home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ROOT / "orchestration" / "dagster.yaml", settings.dagster_home / "dagster.yaml")
    return settings.dagster_home


def _execute(
    settings: Settings, as_of: datetime, console: Console, dead: Sequence[str]
) -> tuple[bool, list[str]]:
    """Whether there is a release, and what failed on the way to it or after it."""
    import dagster as dg

    prepare_dagster_home(settings)
    from orchestration.definitions import build_definitions
    from orchestration.progress import watched_by
    from orchestration.resources import mark_failed

    definitions = build_definitions(settings)
    with dg.DagsterInstance.get() as instance, _said_to_file(settings.home / "logs" / "run.log"):
        for holder in dead:
            mark_failed(instance, holder)
        with watched_by(console):
            failures = _run_job(definitions, "daily", instance, as_of, settings)
        is_released = not failures
        if is_released:
            failures = _run_job(definitions, "alerts", instance, None, settings)
    return is_released, failures


def _run_job(
    definitions: "dg.Definitions",
    name: str,
    instance: "dg.DagsterInstance",
    as_of: datetime | None,
    settings: Settings,
) -> list[str]:
    job = definitions.resolve_job_def(name)
    partition = None
    if as_of is not None:
        day = last_full_day(as_of, settings.zone).isoformat()
        # An as-of ahead of the clock has no partition yet; the tag says what to run for.
        keys = job.partitions_def
        partition = day if keys is not None and keys.has_partition_key(day) else None
    run_id = str(uuid.uuid4())
    name_holder(settings.build_lock, f"run {run_id}")
    try:
        result = job.execute_in_process(
            run_id=run_id,
            instance=instance,
            partition_key=partition,
            tags={AS_OF_TAG: as_of.isoformat()} if as_of else None,
            raise_on_error=False,
            run_config={"loggers": {"progress": {}}},
        )
    except Exception:
        leave_unfinished(settings.build_lock)
        raise
    return [] if result.success else _failures(result)


def _failures(result: "dg.ExecuteInProcessResult") -> list[str]:
    from orchestration.run_results import end_of

    said = [_failure(event) for event in result.all_events]
    # Of a run that could not begin, no step says anything.
    ends = [end_of(event) for event in result.all_events if event.is_run_failure]
    return [sentence for sentence in said if sentence] or ends or ["the run failed; see the log"]


def _failure(event: "dg.DagsterEvent") -> str | None:
    """What an event says of why a run failed, if it does."""
    if event.is_step_failure:
        return _step_failure(event)
    if event.event_type_value != "ASSET_CHECK_EVALUATION":
        return None
    check = event.asset_check_evaluation_data
    if check.passed or check.severity.value != "ERROR":
        return None
    return (
        f"check {check.check_name} on {check.asset_key.to_user_string()}: "
        f"{check.description or 'failed'}"
    )


def _step_failure(event: "dg.DagsterEvent") -> str | None:
    """The failure's own words; that a check is red is said by the check."""
    from orchestration.run_results import said_by

    data = event.step_failure_data
    if data.error and data.error.cls_name == "DagsterAssetCheckFailedError":
        return None
    if data.user_failure_data:
        text = " ".join(str(data.user_failure_data.description).split())
    else:
        text = said_by(data.error) if data.error else "unknown"
    return f"{event.step_key}: {text}"


@contextlib.contextmanager
def _said_to_file(path: Path) -> Iterator[None]:
    """Send what the tools print to a log: the console belongs to the progress."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as log, contextlib.redirect_stdout(log):
        yield
