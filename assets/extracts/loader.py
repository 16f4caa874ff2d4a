"""Loads one table: every delivery exactly once, bad rows set aside, all of it or nothing."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import duckdb

from assets.extracts.batches import load_batch
from assets.extracts.contracts import Contract
from assets.extracts.inspection import inspect
from assets.extracts.known_log import KnownLog
from assets.extracts.landing import find_files
from assets.extracts.loads import Found, Load, Refusal, RejectedRow, TableLoad
from assets.extracts.planning import in_batches, new_jobs
from assets.extracts.profiles import Profile
from assets.extracts.refusals import book_refusals
from assets.extracts.tables import prepare

__all__ = ["RejectedRow", "TableLoad", "load_table", "prepare"]

BATCH_BYTES = 1 << 29
SAMPLE_ROWS = 20


def load_table(
    connection: duckdb.DuckDBPyConnection,
    *,
    contract: Contract,
    profile: Profile,
    landing: Path,
    as_of: datetime,
    known: KnownLog,
    run_id: str,
    loaded_at: datetime,
    time_zone: str = "UTC",
    shrink_limit: float = 0.5,
    batch_bytes: int = BATCH_BYTES,
) -> TableLoad:
    """Loads what landed for one table and was not loaded yet.

    Args:
        connection: the build, prepared by `prepare`, outside any transaction.
        contract: the table.
        profile: how the landing's files become its columns.
        landing: the landing's root.
        as_of: the run's as-of instant; dates files that lie in no dt= folder.
        known: what is remembered of earlier deliveries, in this build or another.
        run_id: the run, for the manifest.
        loaded_at: wall clock, for the manifest.
        time_zone: the reporting time zone, in which a dt= day ends.
        shrink_limit: the share by which a full extract may shrink against the one before it.
        batch_bytes: how many bytes of files commit together, about.

    Raises:
        ExtractError: the landing is not there; nothing else raises for what landed.
    """
    plan = profile.table(contract)
    if plan is None:
        return TableLoad(table=contract.name, mode=contract.mode)
    connection.execute("set TimeZone = 'UTC'")
    load = Load(
        connection=connection,
        contract=contract,
        plan=plan,
        known=known,
        as_of=as_of,
        run_id=run_id,
        loaded_at=loaded_at,
        time_zone=time_zone,
        shrink_limit=shrink_limit,
        batch_bytes=batch_bytes,
    )
    known.remember(load.ever_loaded())
    found = [Found(file=f, inspection=inspect(f)) for f in find_files(landing, plan.files)]
    return _load(load, found)


def _load(load: Load, found: Sequence[Found]) -> TableLoad:
    refused: list[Refusal] = [
        (f, f.inspection.refusal) for f in found if f.inspection.refusal is not None
    ]
    sound = [f for f in found if f.inspection.refusal is None]
    jobs = new_jobs(load, sound)
    loaded: list[int] = []
    for batch in in_batches(jobs, load.batch_bytes):
        accepted, turned_down = load_batch(load, batch, sound)
        loaded += accepted
        refused += turned_down
    book_refusals(load, refused)
    already = len(sound) - len(jobs)
    return _report(load, loaded, [reason for _, reason in refused], already)


def _report(load: Load, loaded: Sequence[int], refusals: Sequence[str], already: int) -> TableLoad:
    every = load.deliveries()
    new = [delivery for delivery in every if delivery.delivery_id in set(loaded)]
    marks = [delivery.watermark_at for delivery in every if delivery.watermark_at is not None]
    return TableLoad(
        table=load.contract.name,
        mode=load.plan.mode,
        files_new=len(new),
        files_already_loaded=already,
        files_refused=len(refusals),
        rows_read=sum(delivery.rows_read for delivery in new),
        rows_loaded=sum(delivery.rows_loaded for delivery in new),
        rows_rejected=sum(delivery.rows_rejected for delivery in new),
        rows_duplicate=sum(delivery.rows_duplicate for delivery in new),
        refusals=tuple(sorted(refusals)),
        watermark_at=max(marks, default=None),
        rejected_sample=_sample(load, loaded),
        new_delivery_ids=tuple(loaded),
        is_landed=bool(every),
    )


def _sample(load: Load, loaded: Sequence[int]) -> tuple[RejectedRow, ...]:
    rows = load.connection.execute(
        "select path, line, column_name, rule, reason, raw_text from landing.quarantine "
        "where delivery_id in (select unnest(?::bigint[])) order by path, line limit ?",
        [list(loaded), SAMPLE_ROWS],
    ).fetchall()
    names = ("path", "line", "column_name", "rule", "reason", "raw_text")
    return tuple(RejectedRow(**dict(zip(names, row, strict=True))) for row in rows)
