"""Looks after the warehouse: keeps what runs said, and has an operator told."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import sqlalchemy as sa

from assets.alerts import operations
from assets.alerts.delivery import deliver
from assets.alerts.ledger import create_ledger
from assets.alerts.operations import CheckOutcome, CurrentRelease, OpsFinding, RunOutcome
from assets.alerts.receivers import OPS_ROUTE, Route
from assets.alerts.rule_files import RuleFilesError, read_rules
from assets.alerts.rules import RuleSet
from assets.clock import AS_OF_TAG, first_instant, parse_as_of
from assets.releases import folders
from orchestration.receivers import receivers_of
from orchestration.settings import Settings

JOBS = ("daily", "alerts")
_LATEST = 50
_RED = "DagsterAssetCheckFailedError"
# Where ops hears that the seeds, which say where ops is told, can't be read.
_LAST_RESORT = Route(rule=OPS_ROUTE, position=1, channel="file", target="ops.jsonl")
_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]


def look_after(settings: Settings, instance: dg.DagsterInstance, *, now: datetime) -> int:
    """Keeps the results of runs that ended, and tells ops what began and what ended.

    Returns:
        How many things ops is told.
    """
    engine = create_ledger(settings.ledger)
    try:
        keep_runs(engine, settings, instance)
        told = operations.report(engine, find(engine, settings, now), _rules(settings), now=now)
        if told:
            deliver(engine, receivers_of(settings), now=now)
        return told
    finally:
        engine.dispose()


def has_news(settings: Settings, instance: dg.DagsterInstance, *, now: datetime) -> bool:
    """Whether there is anything that `look_after` would do."""
    engine = create_ledger(settings.ledger)
    try:
        known = operations.known_runs(engine)
        if any(record.dagster_run.run_id not in known for record in _ended(instance)):
            return True
        begun, ended = operations.news(engine, find(engine, settings, now))
        return bool(begun or ended)
    finally:
        engine.dispose()


def keep_runs(engine: sa.Engine, settings: Settings, instance: dg.DagsterInstance) -> int:
    """Copies what runs and their checks said from Dagster's storage into the ledger."""
    known = operations.known_runs(engine)
    new = [record for record in _ended(instance) if record.dagster_run.run_id not in known]
    return operations.record_runs(
        engine, [_outcome(settings, instance, record) for record in reversed(new)]
    )


def find(engine: sa.Engine, settings: Settings, now: datetime) -> list[OpsFinding]:
    """All that an operator should look at now."""
    deadline = timedelta(hours=settings.release_deadline_hours)
    return operations.findings(engine, current_release(settings), now=now, deadline=deadline)


def current_release(settings: Settings) -> CurrentRelease | None:
    """The release that readers open."""
    manifest = folders.read_manifest(settings.releases)
    if manifest is None:
        return None
    as_of = datetime.fromisoformat(manifest["as_of"])
    return CurrentRelease(release_id=str(manifest["id"]), as_of=as_of)


def _ended(instance: dg.DagsterInstance) -> list[dg.RunRecord]:
    """The newest runs of our jobs that ended."""
    records = instance.get_run_records(dg.RunsFilter(statuses=_ENDED), limit=_LATEST)
    return [record for record in records if record.dagster_run.job_name in JOBS]


def _outcome(settings: Settings, instance: dg.DagsterInstance, record: dg.RunRecord) -> RunOutcome:
    run = record.dagster_run
    return RunOutcome(
        run_id=run.run_id,
        job=run.job_name,
        as_of=_as_of(settings, run),
        is_green=run.status is dg.DagsterRunStatus.SUCCESS,
        failures=tuple(_failures(instance, run.run_id)),
        ended_at=datetime.fromtimestamp(record.end_time or 0, UTC),
        checks=tuple(_checks(instance, run.run_id)),
    )


def _as_of(settings: Settings, run: dg.DagsterRun) -> datetime | None:
    """What a run was for: its tag, or the day after its (last) partition."""
    tagged = run.tags.get(AS_OF_TAG)
    if tagged:
        return parse_as_of(tagged, settings.zone)
    partition = run.tags.get("dagster/asset_partition_range_end") or run.tags.get(
        "dagster/partition"
    )
    if not partition:
        return None
    day = datetime.fromisoformat(partition).date() + timedelta(days=1)
    return first_instant(day, settings.zone)


def _checks(instance: dg.DagsterInstance, run_id: str) -> Iterator[CheckOutcome]:
    for event in _events(instance, run_id, dg.DagsterEventType.ASSET_CHECK_EVALUATION):
        found = event.asset_check_evaluation_data
        yield CheckOutcome(
            asset=found.asset_key.to_user_string(),
            check=found.check_name,
            severity="block" if found.severity is dg.AssetCheckSeverity.ERROR else "warn",
            passed=found.passed,
            summary=found.description or ("passed" if found.passed else "failed"),
        )


def _failures(instance: dg.DagsterInstance, run_id: str) -> Iterator[str]:
    for event in _events(instance, run_id, dg.DagsterEventType.STEP_FAILURE):
        data = event.step_failure_data
        if data.user_failure_data:
            yield f"{event.step_key}: {data.user_failure_data.description}"
        elif data.error and data.error.cls_name == _RED:
            yield f"{event.step_key}: a blocking check is red"
        elif data.error:
            cause = data.error.cause or data.error
            yield f"{event.step_key}: {' '.join(cause.message.split())}"


def _events(
    instance: dg.DagsterInstance, run_id: str, kind: dg.DagsterEventType
) -> Iterator[dg.DagsterEvent]:
    for record in instance.get_records_for_run(run_id, of_type=kind).records:
        if record.event_log_entry.dagster_event:
            yield record.event_log_entry.dagster_event


def _rules(settings: Settings) -> RuleSet:
    """The rules and routes; with seeds that can't be read, ops hears it through the default."""
    try:
        return read_rules(settings.seeds)
    except RuleFilesError:
        return RuleSet(rules=(), routes=(_LAST_RESORT,))
