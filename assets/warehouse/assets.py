"""The warehouse's assets: the seeds as they stand, and the dbt graph from staging to marts."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
from dagster_dbt import DagsterDbtTranslator, DbtCliResource, DbtProject, dbt_assets
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

CONFIGURATION_KEY = dg.AssetKey(["reference", "configuration"])


@dataclass(frozen=True, kw_only=True)
class WarehouseOptions:
    """What the dbt graph needs to know that is not in the repository.

    Attributes:
        seeds: Folder of the seeds.
        variables: dbt's variables, as JSON.
        personal_columns: Columns that are masked wherever rows are shown.
        target: Folder that dbt compiles into; the last run's is kept.
        as_of: Reads a run's as-of from its context.
        export_as_of: Puts it where dbt looks for it.
    """

    seeds: Path
    variables: Callable[[], str]
    personal_columns: frozenset[str]
    target: Path
    as_of: Callable[[dg.AssetExecutionContext], datetime]
    export_as_of: Callable[[datetime], None]


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
        # Not a variable: dbt would parse everything anew for every day.
        options.export_as_of(options.as_of(context))
        invocation = dbt.cli(
            ["build", "--vars", options.variables(), "--exclude-resource-type", "unit_test"],
            context=context,
            raise_on_error=False,
            target_path=options.target,
        )
        # Nobody else may open the build while dbt does, so what its tables hold is read afterwards.
        events: list[Any] = list(invocation.stream())
        results = invocation.get_artifact("run_results.json")
        queries = failing_queries(results)
        personal = options.personal_columns | personal_columns(invocation.manifest)
        with build.get_connection() as connection:
            rows = count_rows(connection)
            for event in events:
                if isinstance(event, dg.AssetCheckResult):
                    found = _read_failures(connection, event, queries, personal)
                    yield _described(event, found, rows)
                else:
                    yield _counted(context, event, rows)
        if not invocation.is_successful():
            broken = "; ".join(broken_nodes(results)) or "a blocking check is red"
            raise dg.Failure(
                description=f"dbt did not finish green: {broken}. The last release stays in "
                "place; the failing checks hold the rows to look at.",
                allow_retries=False,
            )

    return dbt_build


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
