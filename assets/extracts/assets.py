"""The raw tables as assets: one step per source, made by one factory, one asset per contract."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import duckdb
from dagster_duckdb import DuckDBResource

from assets.extracts.contracts import Contract, load_contracts
from assets.extracts.errors import ExtractError
from assets.extracts.known_log import KnownLog
from assets.extracts.landing import Landing, open_landing, profile_for
from assets.extracts.loader import load_table
from assets.extracts.loads import TableLoad
from assets.extracts.profiles import Profile
from assets.extracts.retention import apply_retention, read_retention

# Not landing/retention: models read that table, and what is cut comes after what they make.
CUTS_KEY = dg.AssetKey(["landing", "cuts"])
_REJECTED = dg.TableSchema(
    columns=[dg.TableColumn(name) for name in ("file", "line", "column", "reason")]
)
_SECONDS_BETWEEN_WORDS = 5.0


@dataclass(frozen=True, kw_only=True)
class ExtractOptions:
    """Where extracts land and how they are read.

    Attributes:
        landing: The landing folder, or the URL of one in an object store.
        home: Folder of what is known about deliveries if the landing cannot be written to, and of
            the objects that are being read.
        profile: Name or path of the connector profile; by default the landing's own.
        reporting_time_zone: Time zone of days.
        shrink_limit: The share by which a full extract may shrink against the one before it.
        as_of: Reads a run's as-of from its context.
        now: The wall clock, for people.
    """

    landing: Path | str
    home: Path
    profile: str | None
    reporting_time_zone: str
    shrink_limit: float
    as_of: Callable[[dg.AssetExecutionContext], datetime]
    now: Callable[[], datetime]


@dataclass(frozen=True, kw_only=True)
class _Source:
    """What the tables of one source are loaded from, opened once."""

    landing: Landing
    profile: Profile
    known: KnownLog


def build_raw_assets(
    options: ExtractOptions, after: Iterable[dg.AssetKey], partitions: dg.PartitionsDefinition
) -> list[dg.AssetsDefinition]:
    """One step per source, with an asset per contract table, such as `crm/accounts`."""
    deps = list(after)
    contracts = list(load_contracts().values())
    return [
        _source_assets([c for c in contracts if c.source == source], options, deps, partitions)
        for source in sorted({contract.source for contract in contracts})
    ]


def _source_assets(
    contracts: list[Contract],
    options: ExtractOptions,
    deps: list[dg.AssetKey],
    partitions: dg.PartitionsDefinition,
) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name=f"load_{contracts[0].source}",
        specs=[_spec(contract, deps) for contract in contracts],
        can_subset=True,
        partitions_def=partitions,
        pool="build",
        backfill_policy=dg.BackfillPolicy.single_run(),
        description="Loads what landed and was not loaded yet, every delivery exactly once.",
    )
    def load_source(
        context: dg.AssetExecutionContext, build: DuckDBResource
    ) -> Iterator[dg.MaterializeResult]:
        wanted = [c for c in contracts if _key(c) in context.selected_asset_keys]
        try:
            source = _open(options)
            with build.get_connection() as connection:
                for contract in wanted:
                    yield _load(context, contract, options, source, connection)
        except ExtractError as error:
            raise dg.Failure(description=str(error), allow_retries=False) from error

    return load_source


def build_cuts_asset(
    options: ExtractOptions, seeds: Path, after: dg.AssetKey, partitions: dg.PartitionsDefinition
) -> dg.AssetsDefinition:
    """Cuts old raw rows, once a release holds what their rollups say.

    Args:
        options: where and when extracts are read.
        seeds: folder of the seeds, with the months that are kept.
        after: the release: where none was published, nothing is cut.
        partitions: the daily ones.
    """

    @dg.asset(
        key=CUTS_KEY,
        deps=[after],
        group_name="raw_landing",
        kinds={"duckdb"},
        owners=["data-engineering@example.com"],
        partitions_def=partitions,
        pool="build",
        backfill_policy=dg.BackfillPolicy.single_run(),
        description="Raw rows older than seeds/retention.csv says are cut; rollups keep what they "
        "said, and what comes later of such a day is quarantined.",
    )
    def cuts(context: dg.AssetExecutionContext, build: DuckDBResource) -> dg.MaterializeResult:
        with build.get_connection() as connection:
            done = apply_retention(
                connection,
                read_retention(seeds),
                as_of=options.as_of(context),
                today=options.now(),
                zone=ZoneInfo(options.reporting_time_zone),
            )
        return dg.MaterializeResult(
            metadata={
                "rows_cut": sum(cut.rows_cut for cut in done),
                "retained_from": {c.table: c.retained_from.isoformat() for c in done},
            }
        )

    return cuts


def _key(contract: Contract) -> dg.AssetKey:
    return dg.AssetKey([contract.source, contract.table])


def _spec(contract: Contract, deps: list[dg.AssetKey]) -> dg.AssetSpec:
    return dg.AssetSpec(
        key=_key(contract),
        deps=deps,
        group_name=f"raw_{contract.source}",
        kinds={"duckdb", "file"},
        owners=["data-engineering@example.com"],
        description=contract.description,
        metadata={"dagster/column_schema": _column_schema(contract), "mode": contract.mode},
    )


def _open(options: ExtractOptions) -> _Source:
    landing = open_landing(options.landing, spool=options.home / "spool")
    landing.store.clear()
    return _Source(
        landing=landing,
        profile=profile_for(landing, options.profile),
        known=KnownLog.beside(landing, otherwise=options.home),
    )


def _load(
    context: dg.AssetExecutionContext,
    contract: Contract,
    options: ExtractOptions,
    source: _Source,
    connection: duckdb.DuckDBPyConnection,
) -> dg.MaterializeResult:
    started = time.perf_counter()
    load = load_table(
        connection,
        contract=contract,
        profile=source.profile,
        landing=source.landing,
        as_of=options.as_of(context),
        known=source.known,
        run_id=context.run.run_id,
        loaded_at=options.now(),
        time_zone=options.reporting_time_zone,
        shrink_limit=options.shrink_limit,
        say=_now_and_then(context.log.info),
    )
    for sentence in load.refusals:
        context.log.warning(sentence)
    seconds = time.perf_counter() - started
    return dg.MaterializeResult(asset_key=_key(contract), metadata=_metadata(load, seconds))


def _now_and_then(say: Callable[[str], None]) -> Callable[[str], None]:
    """Says what it is told every few seconds, and nothing of what is soon over."""
    said_at = time.monotonic()

    def perhaps(sentence: str) -> None:
        nonlocal said_at
        if time.monotonic() - said_at >= _SECONDS_BETWEEN_WORDS:
            said_at = time.monotonic()
            say(sentence)

    return perhaps


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


def _metadata(load: TableLoad, seconds: float) -> dict[str, dg.MetadataValue]:
    watermark = load.watermark_at.isoformat() if load.watermark_at else "not loaded"
    sample = [
        dg.TableRecord(
            {"file": row.path, "line": row.line, "column": row.column_name, "reason": row.reason}
        )
        for row in load.rejected_sample
    ]
    told: dict[str, dg.MetadataValue] = {}
    if load.watermark_at:
        told["watermark_at"] = dg.MetadataValue.timestamp(load.watermark_at)
    return told | {
        "dagster/row_count": dg.MetadataValue.int(load.rows_in_table),
        "files_new": dg.MetadataValue.int(load.files_new),
        "files_already_loaded": dg.MetadataValue.int(load.files_already_loaded),
        "files_refused": dg.MetadataValue.int(load.files_refused),
        "rows_read": dg.MetadataValue.int(load.rows_read),
        "rows_loaded": dg.MetadataValue.int(load.rows_loaded),
        "rows_rejected": dg.MetadataValue.int(load.rows_rejected),
        "rows_duplicate": dg.MetadataValue.int(load.rows_duplicate),
        "file_formats": dg.MetadataValue.json(dict(load.formats)),
        "seconds": dg.MetadataValue.float(round(seconds, 3)),
        "watermark": dg.MetadataValue.text(watermark),
        "rejected": dg.MetadataValue.table(records=sample, schema=_REJECTED),
        "refusals": dg.MetadataValue.json(list(load.refusals)),
    }
