"""The warehouse's assets: the seeds as they stand, and the dbt graph from staging to marts."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
from dagster_dbt import (
    DagsterDbtTranslator,
    DbtCliInvocation,
    DbtCliResource,
    DbtProject,
    dbt_assets,
)
from dagster_duckdb import DuckDBResource

from assets.warehouse.configuration import record_configuration
from assets.warehouse.failures import (
    FailingRows,
    broken_nodes,
    count_rows,
    failing_queries,
    personal_columns,
    read_failing_rows,
)
from assets.warehouse.standing import Manifest, plan_build, remember_built

_ENGINES = tuple(f"{name} {version(name)}" for name in ("duckdb", "dbt-core", "dbt-duckdb"))
_BUILD = ("build", "--exclude-resource-type", "unit_test")
_UNIQUE_ID = "dagster_dbt/unique_id"  # where Dagster says which node an asset or a check is
CONFIGURATION_KEY = dg.AssetKey(["reference", "configuration"])


@dataclass(frozen=True, kw_only=True)
class WarehouseOptions:
    """What the dbt graph needs to know that is not in the repository.

    Attributes:
        seeds: Folder of the seeds.
        code_version: Version and fingerprint of the code.
        variables: dbt's variables, as JSON.
        personal_columns: Columns that are masked wherever rows are shown.
        target: Folder that dbt compiles into; the last run's is kept.
        as_of: Reads a run's as-of from its context.
        export_as_of: Puts it where dbt looks for it.
        stored_together: Stores what is told meanwhile in one commit: hundreds of results.
    """

    seeds: Path
    code_version: str
    variables: Callable[[], str]
    personal_columns: frozenset[str]
    target: Path
    as_of: Callable[[dg.AssetExecutionContext], datetime]
    export_as_of: Callable[[datetime], None]
    stored_together: Callable[[dg.AssetExecutionContext], AbstractContextManager[None]]


class _Translator(DagsterDbtTranslator):
    """Groups are the folders that ARCHITECTURE draws; everything else is dbt's own."""

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        layer = (dbt_resource_props.get("tags") or ["seeds"])[0]
        group = dbt_resource_props.get("config", {}).get("group")
        return f"{layer}_{group}" if layer in ("intermediate", "marts") else str(layer)

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        return str(dbt_resource_props.get("description", "")).strip()

    def get_asset_check_spec(
        self,
        asset_spec: dg.AssetSpec,
        manifest: Mapping[str, Any],
        unique_id: str,
        project: DbtProject | None,
    ) -> dg.AssetCheckSpec | None:
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        if spec is None:
            return None
        return dg.AssetCheckSpec(
            name=spec.name,
            asset=spec.asset_key,
            description=_check_description(manifest["nodes"][unique_id]),
            additional_deps=spec.additional_deps,
            metadata=spec.metadata,
            blocking=spec.blocking,
        )


def _check_description(test: Mapping[str, Any]) -> str | None:
    """What a dbt test promises: its own words, else those of its kind with its columns."""
    if test.get("description"):
        return str(test["description"]).strip()
    kind = test.get("test_metadata") or {}
    arguments = kind.get("kwargs", {})
    said = {
        "is_unique": f"The grain: no two rows agree in {', '.join(arguments.get('columns', ()))}.",
        "every_number_is_finite": "No number is infinite, or none at all (a division by zero).",
        "accepted_values": f"{arguments.get('column_name')} is one of "
        f"{', '.join(map(str, arguments.get('values', ())))}.",
        "unique": f"No value of {arguments.get('column_name')} stands twice.",
    }
    return said.get(str(kind.get("name")))


def build_configuration_asset(
    options: WarehouseOptions, partitions: dg.PartitionsDefinition
) -> dg.AssetsDefinition:
    """The seeds, recorded cell by cell: which configuration a release was made with is a query."""

    @dg.asset(
        key=CONFIGURATION_KEY,
        group_name="seeds",
        kinds={"csv", "duckdb"},
        owners=["cs-ops@example.com"],
        partitions_def=partitions,
        pool="build",
        backfill_policy=dg.BackfillPolicy.single_run(),
        description="One row per cell of the seeds in force; checked before anything loads.",
    )
    def configuration(
        context: dg.AssetExecutionContext,  # noqa: ARG001 - Dagster passes it by name
        build: DuckDBResource,
    ) -> dg.MaterializeResult:
        with build.get_connection() as connection:
            version, cells = record_configuration(connection, options.seeds)
        return dg.MaterializeResult(
            metadata={"dagster/row_count": cells, "version": version, "folder": options.seeds.name}
        )

    return configuration


def build_dbt_assets(
    options: WarehouseOptions, project: DbtProject, partitions: dg.PartitionsDefinition
) -> dg.AssetsDefinition:
    """Every dbt model and seed as an asset, and every dbt test as a check."""

    @dbt_assets(
        manifest=project.manifest_path,
        project=project,
        partitions_def=partitions,
        pool="build",
        backfill_policy=dg.BackfillPolicy.single_run(),
        dagster_dbt_translator=_Translator(),
        name="dbt_build",
    )
    def dbt_build(
        context: dg.AssetExecutionContext, dbt: DbtCliResource, build: DuckDBResource
    ) -> Iterator[Any]:
        as_of = options.as_of(context)
        # Not a variable: dbt would parse everything anew for every day.
        options.export_as_of(as_of)
        manifest = json.loads(project.manifest_path.read_text("utf-8"))
        circumstances = (options.code_version, options.variables(), as_of.isoformat(), *_ENGINES)
        with build.get_connection() as connection:
            # What is built of a part may rest on tables that are not.
            plan = plan_build(connection, manifest, circumstances, is_whole=not context.is_subset)
        invocation, events = None, []
        if plan.is_anything_to_build:
            (options.target / "run_results.json").unlink(missing_ok=True)  # another run's
            invocation = dbt.cli(
                [*_BUILD, "--vars", options.variables(), *_leaving_out(plan.standing)],
                context=context,
                raise_on_error=False,
                target_path=options.target,
            )
            # Nobody else may open the build while dbt does: its tables are read afterwards.
            events = list(invocation.stream())
        with build.get_connection() as connection:
            rows = count_rows(connection)
            told = _standing_results(context, manifest, plan.standing, rows)
            if invocation:
                results = _run_results_of(invocation)
                remember_built(connection, results, plan.fingerprints)
                queries = failing_queries(results)
                personal = options.personal_columns | personal_columns(manifest)
                told += [
                    _described(event, _read_failures(connection, event, queries, personal), rows)
                    if isinstance(event, dg.AssetCheckResult)
                    else _counted(context, event, rows)
                    for event in events
                ]
        in_order = _parents_first(context, told, plan.fingerprints)
        with options.stored_together(context):
            yield from in_order
        if invocation and not invocation.is_successful():
            raise dg.Failure(
                description=f"dbt did not finish green: {_what_broke(invocation)}. The last "
                "release stays in place; the failing checks hold the rows to look at.",
                allow_retries=False,
            )

    return dbt_build


def _leaving_out(standing: Collection[str]) -> list[str]:
    """What dbt is told so that it leaves nodes alone, and nothing besides them."""
    names = sorted(unique_id.split(".")[2] for unique_id in standing)
    return ["--indirect-selection", "empty", "--exclude", " ".join(names)] if names else []


def _run_results_of(invocation: DbtCliInvocation) -> Mapping[str, Any]:
    """What dbt wrote of each node that it had to do with; nothing where it did not get so far."""
    try:
        return invocation.get_artifact("run_results.json")
    except FileNotFoundError:
        return {"results": []}


def _what_broke(invocation: DbtCliInvocation) -> str:
    results = _run_results_of(invocation)
    if not results["results"]:
        return "it ended before it built anything, and the log says why"
    return "; ".join(broken_nodes(results)) or "a blocking check is red"


def _standing_results(
    context: dg.AssetExecutionContext,
    manifest: Manifest,
    standing: Collection[str],
    rows: Mapping[str, int],
) -> list[Any]:
    """What stands, told like what was built: later steps wait for the marts and their checks."""
    tables = {unique_id for unique_id in standing if not unique_id.startswith("test.")}
    if standing:
        context.log.info(
            f"{len(tables)} models and seeds and {len(standing) - len(tables)} tests stand as they "
            "are: nothing that they read has changed",
            extra={"is_progress": True},
        )
    made = [
        dg.Output(
            value=None,
            output_name=context.assets_def.get_output_name_for_asset_key(key),
            metadata={"dagster/row_count": rows[key.to_user_string()], "stands": True},
        )
        for key, metadata in context.assets_def.metadata_by_key.items()
        if metadata[_UNIQUE_ID] in tables and key.to_user_string() in rows
    ]
    passed = [
        _passed(spec, manifest, rows.get(spec.asset_key.to_user_string(), 0))
        for spec in context.assets_def.check_specs
        if spec.metadata[_UNIQUE_ID] in standing
    ]
    return [*made, *passed]


def _passed(spec: dg.AssetCheckSpec, manifest: Manifest, rows: int) -> dg.AssetCheckResult:
    test = manifest["nodes"][spec.metadata[_UNIQUE_ID]]
    return dg.AssetCheckResult(
        passed=True,
        asset_key=spec.asset_key,
        check_name=spec.name,
        severity=dg.AssetCheckSeverity(test["config"]["severity"].upper()),
        description="Nothing that it reads has changed since it passed.",
        metadata={"rows_tested": rows, "rows_failed": 0, "stands": True},
    )


def _parents_first(
    context: dg.AssetExecutionContext, told: Iterable[Any], order: Iterable[str]
) -> list[Any]:
    """Tables as Dagster wants them, each after those that it reads, then everything else."""
    places = {unique_id: place for place, unique_id in enumerate(order)}

    def place(event: Any) -> int:
        if not isinstance(event, dg.Output):
            return len(places)
        key = context.asset_key_for_output(event.output_name)
        return places[context.assets_def.metadata_by_key[key][_UNIQUE_ID]]

    return sorted(told, key=place)


def _counted(context: dg.AssetExecutionContext, event: Any, rows: Mapping[str, int]) -> Any:
    if not isinstance(event, dg.Output):
        return event
    address = context.asset_key_for_output(event.output_name).to_user_string()
    if address not in rows:  # a view: it has no rows of its own
        return event
    metadata: dict[str, Any] = {**event.metadata, "dagster/row_count": rows[address]}
    return dg.Output(value=event.value, output_name=event.output_name, metadata=metadata)


def _read_failures(
    connection: duckdb.DuckDBPyConnection,
    event: dg.AssetCheckResult,
    queries: Mapping[str, str],
    personal: frozenset[str],
) -> FailingRows | None:
    unique_id = event.metadata.get("unique_id") if event.metadata else None
    query = queries.get(str(getattr(unique_id, "value", unique_id)))
    return read_failing_rows(connection, query, personal) if query else None


def _described(
    event: dg.AssetCheckResult, found: FailingRows | None, rows: Mapping[str, int]
) -> dg.AssetCheckResult:
    """A test's result with the rows of the model that it stands on, and of those that fail."""
    metadata: dict[str, Any] = {**event.metadata}
    description = event.description
    asset = event.asset_key.to_user_string() if event.asset_key else ""
    if asset in rows:
        metadata["rows_tested"] = rows[asset]
    if event.passed:
        metadata["rows_failed"] = 0
    if found is not None and found.columns:
        description = f"{found.total} rows fail; the first {len(found.rows)} are shown."
        records = [dg.TableRecord(dict(zip(found.columns, row, strict=True))) for row in found.rows]
        schema = dg.TableSchema(columns=[dg.TableColumn(name) for name in found.columns])
        metadata |= {
            "rows_failed": found.total,
            "failing_rows": dg.TableMetadataValue(records=records, schema=schema),
        }
    return dg.AssetCheckResult(
        passed=event.passed,
        asset_key=event.asset_key,
        check_name=event.check_name,
        severity=event.severity,
        description=description,
        metadata=metadata,
    )
