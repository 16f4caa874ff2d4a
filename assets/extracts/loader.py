"""Loads one table: every delivery exactly once, bad rows set aside, all of it or nothing."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

import duckdb

from assets.extracts.batches import load_batch
from assets.extracts.contracts import Contract
from assets.extracts.known_log import KnownLog
from assets.extracts.landing import LandedFile, Landing, find_files, format_of
from assets.extracts.loads import Found, Load, Refusal, RejectedRow, TableLoad, newest_by_path
from assets.extracts.planning import in_groups, new_jobs
from assets.extracts.profiles import Profile
from assets.extracts.refusals import book_refusals
from assets.extracts.seen import find_lookups, look, remember_files, remembered
from assets.extracts.tables import prepare

__all__ = ["RejectedRow", "TableLoad", "load_table", "prepare"]

BATCH_BYTES = 1 << 29
SAMPLE_ROWS = 20


def load_table(
    connection: duckdb.DuckDBPyConnection,
    *,
    contract: Contract,
    profile: Profile,
    landing: Landing,
    as_of: datetime,
    known: KnownLog,
    run_id: str,
    loaded_at: datetime,
    time_zone: str = "UTC",
    shrink_limit: float = 0.5,
    batch_bytes: int = BATCH_BYTES,
    clock_ns: Callable[[], int] = time.time_ns,
    say: Callable[[str], None] = lambda _: None,
) -> TableLoad:
    """Loads what landed for one table and was not loaded yet.

    Args:
        connection: the build, prepared by `prepare`, outside any transaction.
        contract: the table.
        profile: how the landing's files become its columns.
        landing: the landing, listed.
        as_of: the run's as-of instant; dates files that lie in no dt= folder.
        known: what is remembered of earlier deliveries, in this build or another.
        run_id: the run, for the manifest.
        loaded_at: wall clock, for the manifest.
        time_zone: the reporting time zone, in which a dt= day ends.
        shrink_limit: the share by which a full extract may shrink against the one before it.
        batch_bytes: how many bytes of files commit together, about.
        clock_ns: the clock that dates a look at a file, in nanoseconds of the epoch.
        say: told of every file that was read.

    Raises:
        ExtractError: a bucket can no longer be reached; nothing raises for what landed.
    """
    plan = profile.table(contract)
    if plan is None:
        return TableLoad(table=contract.name, mode=contract.mode)
    connection.execute("set TimeZone = 'UTC'")
    load = Load(
        connection=connection,
        contract=contract,
        plan=plan,
        landing=landing,
        known=known,
        as_of=as_of,
        run_id=run_id,
        loaded_at=loaded_at,
        time_zone=time_zone,
        shrink_limit=shrink_limit,
        batch_bytes=batch_bytes,
        clock_ns=clock_ns,
        say=say,
    )
    load = replace(load, lookups=find_lookups(load))
    return _load(load, find_files(landing, plan.files))


def _load(load: Load, files: Sequence[LandedFile]) -> TableLoad:
    before = load.ever_loaded()
    load.known.remember(before)
    here, refused = remembered(load, files, newest_by_path(before))
    settled = here.keys() | {refusal.found.file.path for refusal in refused}
    waiting = [file for file in files if file.path not in settled]
    already = len(here)
    loaded: list[int] = []
    for group in in_groups(load, waiting) if waiting else ():
        try:
            accepted, known, turned_down = _load_group(load, group, here)
        finally:
            for file in group:
                load.landing.store.release(file.path)
        loaded += accepted
        already += known
        refused += turned_down
    book_refusals(load, refused)
    return _report(load, loaded, [refusal.reason for refusal in refused], already)


def _load_group(
    load: Load, group: Sequence[LandedFile], here: dict[str, Found]
) -> tuple[list[int], int, list[Refusal]]:
    """What was loaded of a group, how many of its files had been already, what was refused."""
    found = _look_at_all(load, group)
    refused = [
        Refusal(found=f, reason=f.inspection.refusal, is_lasting=bool(f.inspection.content_hash))
        for f in found
        if f.inspection.refusal is not None
    ]
    sound = {f.file.path: f for f in found if f.inspection.refusal is None}
    here |= sound
    jobs = new_jobs(load, list(sound.values()))
    accepted, turned_down = load_batch(load, jobs, here)
    new = {job.found.file.path for job in jobs}
    unchanged = [f for path, f in sound.items() if path not in new]
    remember_files(load, unchanged, [*refused, *turned_down])
    return accepted, len(unchanged), [*refused, *turned_down]


def _look_at_all(load: Load, files: Sequence[LandedFile]) -> list[Found]:
    """One look at each file; of what turns out to be loaded already no copy is kept."""
    newest = load.newest()
    found = []
    for file in files:
        one = look(load, file)
        if one is None:
            continue
        last = newest.get(file.path)
        if last is not None and last.content_hash == one.content_hash:
            load.landing.store.release(file.path)
        found.append(one)
    return found


def _report(load: Load, loaded: Sequence[int], refusals: Sequence[str], already: int) -> TableLoad:
    every, fresh = load.deliveries(), set(loaded)
    new = [delivery for delivery in every if delivery.delivery_id in fresh]
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
        formats=Counter(" ".join(format_of(delivery.path)) for delivery in new),
        rows_in_table=sum(delivery.rows_loaded for delivery in every),
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
