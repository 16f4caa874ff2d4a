"""Looks after the warehouse: keeps what runs said, and has an operator told."""

from datetime import datetime

import dagster as dg
import sqlalchemy as sa

from assets.alerts import operations
from assets.alerts.check_history import has_words, keep_words
from assets.alerts.delivery import deliver, is_anything_due
from assets.alerts.ledger import create_ledger
from assets.alerts.operations import CurrentRelease, OpsFinding
from assets.alerts.receivers import OPS_ROUTE, Route
from assets.alerts.rule_files import RuleFilesError, read_rules
from assets.alerts.rules import RuleSet
from assets.releases import folders
from orchestration.dbt import code_version
from orchestration.lateness import deadline_of, find_late_sources
from orchestration.receivers import receivers_of
from orchestration.resources import mark_failed
from orchestration.run_lock import dead_holder
from orchestration.run_results import read_run, words_of
from orchestration.settings import Settings

JOBS = ("daily", "alerts")
_LATEST = 50
# Where ops hears that the seeds, which say where ops is told, can't be read.
_LAST_RESORT = Route(rule=OPS_ROUTE, position=1, channel="file", target="ops.jsonl")
GOING_ON = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]
_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]


def look_after(
    settings: Settings,
    instance: dg.DagsterInstance,
    *,
    now: datetime,
    definitions: dg.Definitions | None = None,
) -> int:
    """Keeps the results of runs that ended, and tells ops what began and what ended.

    Args:
        settings: the warehouse's.
        instance: Dagster's storage.
        now: the wall clock.
        definitions: the warehouse's, where they are made already; they say what checks mean.

    Returns:
        How many things ops is told.
    """
    engine = create_ledger(settings.ledger)
    try:
        end_dead_run(settings, instance)
        keep_runs(engine, settings, instance)
        told = operations.report(engine, find(engine, settings, now), _rules(settings), now=now)
        if told or _is_left_to_us(engine, instance, now):
            deliver(engine, receivers_of(settings), now=now)
        describe_checks(engine, settings, definitions)
        return told
    finally:
        engine.dispose()


def end_dead_run(settings: Settings, instance: dg.DagsterInstance) -> None:
    """Marks the run failed whose process died with the build: the next one queues behind it."""
    run = _dead_run(settings, instance)
    if run:
        mark_failed(instance, f"run {run.run_id}")


def _dead_run(settings: Settings, instance: dg.DagsterInstance) -> dg.DagsterRun | None:
    holder = dead_holder(settings.build_lock)
    run = instance.get_run_by_id(holder.removeprefix("run ")) if holder else None
    return run if run and not run.is_finished else None


def has_news(settings: Settings, instance: dg.DagsterInstance, *, now: datetime) -> bool:
    """Whether there is anything that `look_after` would do."""
    if _dead_run(settings, instance):
        return True
    engine = create_ledger(settings.ledger)
    try:
        known = operations.known_runs(engine)
        if any(record.dagster_run.run_id not in known for record in _ended(instance)):
            return True
        begun, ended = operations.news(engine, find(engine, settings, now))
        return bool(begun or ended) or _is_left_to_us(engine, instance, now)
    finally:
        engine.dispose()


def _is_left_to_us(engine: sa.Engine, instance: dg.DagsterInstance, now: datetime) -> bool:
    """Whether something is to be told now, again or still, that no evaluation is about to tell.

    The next one comes with the next release, a day later: too late for a receiver that was down
    for a minute, and for what a killed run had decided and not sent.
    """
    going_on = dg.RunsFilter(job_name="alerts", statuses=GOING_ON)
    return is_anything_due(engine, now) and not instance.get_runs_count(going_on)


def keep_runs(engine: sa.Engine, settings: Settings, instance: dg.DagsterInstance) -> int:
    """Copies what runs and their checks said from Dagster's storage into the ledger."""
    known = operations.known_runs(engine)
    new = [record for record in _ended(instance) if record.dagster_run.run_id not in known]
    return operations.record_runs(
        engine, [read_run(settings, instance, record) for record in reversed(new)]
    )


def describe_checks(
    engine: sa.Engine, settings: Settings, definitions: dg.Definitions | None
) -> None:
    """Keeps what the checks of this code mean, once per code."""
    version = code_version()
    if not has_words(engine, version):
        # The definitions know this module: they call it.
        from orchestration.definitions import build_definitions

        keep_words(engine, words_of(definitions or build_definitions(settings)), version)


def find(engine: sa.Engine, settings: Settings, now: datetime) -> list[OpsFinding]:
    """All that an operator should look at now."""
    return operations.findings(
        engine,
        current_release(settings),
        now=now,
        deadline=deadline_of(engine, settings),
        late=find_late_sources(settings, now),
    )


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


def _rules(settings: Settings) -> RuleSet:
    """The rules and routes; with seeds that can't be read, ops hears it through the default."""
    try:
        return read_rules(settings.seeds)
    except RuleFilesError:
        return RuleSet(rules=(), routes=(_LAST_RESORT,))
