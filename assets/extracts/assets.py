"""The raw tables as assets: one per contract, by one factory, since they differ only by data."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import dagster as dg
from dagster_duckdb import DuckDBResource

from assets.extracts.contracts import Contract, load_contracts
from assets.extracts.errors import ExtractError
from assets.extracts.known_log import KnownLog
from assets.extracts.loader import TableLoad, load_table
from assets.extracts.profiles import Profile
from assets.extracts.tables import count_rows

_REJECTED = dg.TableSchema(
    columns=[dg.TableColumn(name) for name in ("file", "line", "column", "reason")]
)


@dataclass(frozen=True, kw_only=True)
class ExtractOptions:
    """Where extracts land and how they are read.

    Attributes:
        landing: The landing folder.
        home: Where what is known about deliveries is kept if the landing cannot be written to.
        profile: Reads the connector profile, when a run begins.
        reporting_time_zone: Time zone of days.
        as_of: Reads a run's as-of from its context.
        now: The wall clock, for people.
    """

    landing: Path
    home: Path
    profile: Callable[[], Profile]
    reporting_time_zone: str
    as_of: Callable[[dg.AssetExecutionContext], datetime]
    now: Callable[[], datetime]


def build_raw_assets(
    options: ExtractOptions, after: Iterable[dg.AssetKey], partitions: dg.PartitionsDefinition
) -> list[dg.AssetsDefinition]:
    """One asset per contract table, such as `crm/accounts`."""
    deps = list(after)
    return [
        _raw_asset(contract, options, deps, partitions) for contract in load_contracts().values()
    ]


def _raw_asset(
    contract: Contract,
    options: ExtractOptions,
    deps: list[dg.AssetKey],
    partitions: dg.PartitionsDefinition,
) -> dg.AssetsDefinition:
    @dg.asset(
        key=[contract.source, contract.table],
        deps=deps,
        group_name=f"raw_{contract.source}",
        kinds={"duckdb", "file"},
        owners=["data-engineering@example.com"],
        partitions_def=partitions,
        pool="build",
        backfill_policy=dg.BackfillPolicy.single_run(),
        description=contract.description,
        metadata={"dagster/column_schema": _column_schema(contract), "mode": contract.mode},
    )
    def raw(context: dg.AssetExecutionContext, build: DuckDBResource) -> dg.MaterializeResult:
        started = time.perf_counter()
        try:
            load = _load(context, contract, options, build)
        except ExtractError as error:
            raise dg.Failure(description=str(error), allow_retries=False) from error
        for sentence in load.refusals:
            context.log.warning(sentence)
        with build.get_connection() as connection:
            rows = sum(count_rows(connection, contract).values())
        seconds = time.perf_counter() - started
        return dg.MaterializeResult(metadata=_metadata(load, rows, seconds))

    return raw


def _load(
    context: dg.AssetExecutionContext,
    contract: Contract,
    options: ExtractOptions,
    build: DuckDBResource,
) -> TableLoad:
    with build.get_connection() as connection:
        return load_table(
            connection,
            contract=contract,
            profile=options.profile(),
            landing=options.landing,
            as_of=options.as_of(context),
            known=KnownLog.beside(options.landing, otherwise=options.home),
            run_id=context.run_id,
            loaded_at=options.now(),
            time_zone=options.reporting_time_zone,
        )


def _column_schema(contract: Contract) -> dg.TableSchema:
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=column.name,
                type=column.duckdb_type,
                description=column.description,
                constraints=dg.TableColumnConstraints(nullable=not column.required),
            )
            for column in contract.columns
        ]
    )


def _metadata(load: TableLoad, rows: int, seconds: float) -> dict[str, dg.MetadataValue]:
    watermark = load.watermark_at.isoformat() if load.watermark_at else "not loaded"
    sample = [
        dg.TableRecord(
            {"file": row.path, "line": row.line, "column": row.column_name, "reason": row.reason}
        )
        for row in load.rejected_sample
    ]
    return {
        "dagster/row_count": dg.MetadataValue.int(rows),
        "files_new": dg.MetadataValue.int(load.files_new),
        "files_already_loaded": dg.MetadataValue.int(load.files_already_loaded),
        "files_refused": dg.MetadataValue.int(load.files_refused),
        "rows_read": dg.MetadataValue.int(load.rows_read),
        "rows_loaded": dg.MetadataValue.int(load.rows_loaded),
        "rows_rejected": dg.MetadataValue.int(load.rows_rejected),
        "rows_duplicate": dg.MetadataValue.int(load.rows_duplicate),
        "seconds": dg.MetadataValue.float(round(seconds, 3)),
        "watermark": dg.MetadataValue.text(watermark),
        "rejected": dg.MetadataValue.table(records=sample, schema=_REJECTED),
        "refusals": dg.MetadataValue.json(list(load.refusals)),
    }
