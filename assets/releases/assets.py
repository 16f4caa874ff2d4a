"""The release as an asset: what analysts open, made from an audited build."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
from dagster_duckdb import DuckDBResource

from assets.clock import as_of_day
from assets.releases.publishing import (
    CheckResult,
    PublishedRelease,
    ReleaseRequest,
    UnauditedReleaseError,
    publish,
)

RELEASE_KEY = dg.AssetKey(["releases", "current"])
_ENGINES = ("duckdb", "dbt-core", "dbt-duckdb", "dagster", "polars", "great-expectations")


@dataclass(frozen=True, kw_only=True)
class ReleaseOptions:
    """Where releases go and what describes them.

    Attributes:
        releases: Folder of releases.
        zone: The reporting time zone.
        code_version: Version and fingerprint of the code.
        configuration_version: Reads the fingerprint of the seeds.
        as_of: Reads a run's as-of from its context.
        now: The wall clock, for people.
    """

    releases: Path
    zone: ZoneInfo
    code_version: str
    configuration_version: Callable[[], str]
    as_of: Callable[[dg.AssetExecutionContext], datetime]
    now: Callable[[], datetime]


def build_release_asset(
    options: ReleaseOptions, marts: list[dg.AssetKey], partitions: dg.PartitionsDefinition
) -> dg.AssetsDefinition:
    """The release of a run, made if and only if its audit is green."""

    @dg.asset(
        key=RELEASE_KEY,
        deps=marts,
        group_name="releases",
        kinds={"duckdb", "file"},
        owners=["data-engineering@example.com"],
        partitions_def=partitions,
        pool="build",
        backfill_policy=dg.BackfillPolicy.single_run(),
        description="The audited marts in a file of their own; `releases/current/csw.duckdb` "
        "always opens the newest, and a reader keeps its release until it closes.",
    )
    def release(context: dg.AssetExecutionContext, build: DuckDBResource) -> dg.MaterializeResult:
        as_of = options.as_of(context)
        request = ReleaseRequest(
            as_of=as_of,
            as_of_day=as_of_day(as_of, options.zone).isoformat(),
            time_zone=options.zone.key,
            published_at=options.now(),
            code_version=options.code_version,
            configuration_version=options.configuration_version(),
            checks=_checks_of_run(context),
            engines={name: version(name) for name in _ENGINES},
        )
        with build.get_connection() as connection:
            try:
                published = publish(connection, options.releases, request)
            except UnauditedReleaseError as error:
                raise dg.Failure(description=str(error), allow_retries=False) from error
        return dg.MaterializeResult(metadata=_metadata(published))

    return release


def _checks_of_run(context: dg.AssetExecutionContext) -> list[CheckResult]:
    records = context.instance.get_records_for_run(
        context.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
    ).records
    evaluations = [
        record.event_log_entry.dagster_event.asset_check_evaluation_data
        for record in records
        if record.event_log_entry.dagster_event
    ]
    results = [
        CheckResult(
            check=found.check_name,
            asset=found.asset_key.to_user_string(),
            severity="block" if found.severity == dg.AssetCheckSeverity.ERROR else "warn",
            passed=found.passed,
            summary=found.description or ("passed" if found.passed else "failed"),
        )
        for found in evaluations
    ]
    return sorted(results, key=lambda result: (result.asset, result.check))


def _metadata(published: PublishedRelease) -> dict[str, dg.MetadataValue]:
    manifest = published.manifest
    tables = [
        dg.TableRecord({"table": name, **facts}) for name, facts in manifest["tables"].items()
    ]
    rows = sum(facts["rows"] for facts in manifest["tables"].values())
    return {
        "release": dg.MetadataValue.text(published.release_id),
        "is_current": dg.MetadataValue.bool(published.is_current),
        "as_of": dg.MetadataValue.text(manifest["as_of"]),
        "dagster/row_count": dg.MetadataValue.int(rows),
        "tables": dg.MetadataValue.table(records=tables),
        "watermarks": dg.MetadataValue.json(manifest["watermarks"]),
        "checks": dg.MetadataValue.int(len(manifest["checks"])),
        "quarantine": dg.MetadataValue.json(manifest["quarantine"]),
        "new_shown_rows": dg.MetadataValue.json(published.shown_rows),
        "folder": dg.MetadataValue.path(str(published.folder)),
    }
