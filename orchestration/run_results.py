"""What Dagster's storage says of a run that ended, and the definitions of its checks."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

import dagster as dg

from assets.alerts.check_history import CheckOutcome, CheckWords
from assets.alerts.operations import RunOutcome
from assets.clock import AS_OF_TAG, first_instant, parse_as_of
from orchestration.settings import Settings

_RED = "DagsterAssetCheckFailedError"
_ASKED_BY = ("dagster/schedule_name", "dagster/sensor_name")
# Where a check's description begins to say what to do.
_TO_DO = re.compile(r"To do: |(?=\b(?:A failure |Land |Mend ))")
_FAULT = "The definition is at fault, not the data: show the owner the rows."


def read_run(settings: Settings, instance: dg.DagsterInstance, record: dg.RunRecord) -> RunOutcome:
    """How a run ended, with what its checks said."""
    run = record.dagster_run
    return RunOutcome(
        run_id=run.run_id,
        job=run.job_name,
        as_of=_as_of(settings, run),
        is_green=run.status is dg.DagsterRunStatus.SUCCESS,
        failures=tuple(_failures(instance, run.run_id)) or tuple(_ends(instance, run.run_id)),
        ended_at=datetime.fromtimestamp(record.end_time or 0, UTC),
        checks=tuple(_checks(instance, run.run_id)),
        asked_by=next((run.tags[tag] for tag in _ASKED_BY if tag in run.tags), None),
    )


def words_of(definitions: dg.Definitions) -> list[CheckWords]:
    """What each check means, what to do where it is red, and whose it is: its asset's owner's."""
    made = list(chain(definitions.assets or (), definitions.asset_checks or ()))
    assets = {
        spec.key: spec
        for each in definitions.assets or ()
        if isinstance(each, dg.AssetsDefinition)
        for spec in each.specs
    }
    specs = [
        spec
        for each in made
        if isinstance(each, dg.AssetsDefinition | dg.AssetChecksDefinition)
        for spec in each.check_specs
    ]
    return [_words(spec, assets.get(spec.asset_key)) for spec in specs]


def _words(check: dg.AssetCheckSpec, asset: dg.AssetSpec | None) -> CheckWords:
    means, what_to_do = split_words(check.description or check.name)
    owners = tuple(asset.owners or ()) if asset else ()
    group = (asset.group_name if asset else None) or check.asset_key.path[0]
    return CheckWords(
        asset=check.asset_key.to_user_string(),
        check=check.name,
        layer=group.partition("_")[0],
        owner=", ".join(owners) or None,
        means=means,
        what_to_do=what_to_do,
    )


def split_words(description: str) -> tuple[str, str]:
    """What a check's description says that is so, and what it says to do where it isn't."""
    parts = _TO_DO.split(" ".join(description.split()), maxsplit=1)
    what_to_do = parts[1].strip() if len(parts) > 1 else _FAULT
    return parts[0].strip(), what_to_do[:1].upper() + what_to_do[1:]


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
        told = {name: entry.value for name, entry in found.metadata.items()}
        blocks = found.severity is dg.AssetCheckSeverity.ERROR
        yield CheckOutcome(
            asset=found.asset_key.to_user_string(),
            check=found.check_name,
            severity=str(told.get("severity") or ("block" if blocks else "warn")),
            passed=found.passed,
            summary=found.description or ("passed" if found.passed else "failed"),
            rows_failed=_whole(told, "rows_failed"),
            rows_tested=_whole(told, "rows_tested"),
            failing_rows=tuple(
                dict(record.data) for record in _records(found.metadata.get("failing_rows"))
            ),
        )


def _whole(told: Mapping[str, Any], name: str) -> int | None:
    value = told.get(name)
    return value if isinstance(value, int) else None


def _records(entry: object) -> list[dg.TableRecord]:
    return list(entry.records) if isinstance(entry, dg.TableMetadataValue) else []


def said_by(error: Any) -> str:
    """What an error that nobody worded says, on one line."""
    cause = error.cause or error
    if cause.cls_name == dg.DagsterExecutionInterruptedError.__name__:
        return "somebody stopped it"
    return " ".join(str(cause.message).split())


def _failures(instance: dg.DagsterInstance, run_id: str) -> Iterator[str]:
    for event in _events(instance, run_id, dg.DagsterEventType.STEP_FAILURE):
        data = event.step_failure_data
        if data.user_failure_data:
            yield f"{event.step_key}: {data.user_failure_data.description}"
        elif data.error and data.error.cls_name == _RED:
            yield f"{event.step_key}: a blocking check is red"
        elif data.error:
            yield f"{event.step_key}: {said_by(data.error)}"


def _ends(instance: dg.DagsterInstance, run_id: str) -> Iterator[str]:
    """Why a run failed of which no step did: it was killed, or could not begin."""
    for event in _events(instance, run_id, dg.DagsterEventType.RUN_FAILURE):
        yield end_of(event)


def end_of(event: dg.DagsterEvent) -> str:
    """What the event says by which a run ended red."""
    # One that was killed carries no data.
    error = getattr(event.event_specific_data, "error", None)
    return said_by(error) if error else event.message or "it failed"


def _events(
    instance: dg.DagsterInstance, run_id: str, kind: dg.DagsterEventType
) -> Iterator[dg.DagsterEvent]:
    for record in instance.get_records_for_run(run_id, of_type=kind).records:
        if record.event_log_entry.dagster_event:
            yield record.event_log_entry.dagster_event
