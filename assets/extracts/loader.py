"""Loads one table: every delivery exactly once, bad rows set aside, all of it or nothing.

Files are read into temporary tables first, since an error inside a transaction would end it.
Then rows, rejects and manifest of a batch of files commit together; the known log follows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import duckdb

from assets.extracts.casting import quoted
from assets.extracts.contracts import Contract
from assets.extracts.deliveries import (
    Arrival,
    Delivery,
    delivered_at,
    known_instants,
    next_delivery_id,
    read_deliveries,
    write_deliveries,
)
from assets.extracts.errors import RefusedFileError
from assets.extracts.inspection import Inspection, assert_unchanged, inspect
from assets.extracts.known_log import KnownLog
from assets.extracts.landing import LandedFile, find_files
from assets.extracts.profiles import Profile, ReadPlan
from assets.extracts.reader import stage
from assets.extracts.rejects import Staged, drop_books
from assets.extracts.tables import (
    count_rows,
    insert_rejects,
    insert_rows,
    prepare,
    raw_name,
    remove_duplicates,
    set_known_at,
    take_back,
)
from assets.extracts.tombstones import mark_deleted

__all__ = ["RejectedRow", "TableLoad", "load_table", "prepare"]

BATCH_BYTES = 1 << 29
SAMPLE_ROWS = 20


@dataclass(frozen=True, kw_only=True)
class RejectedRow:
    """A row in quarantine, for people to look at."""

    path: str
    line: int
    column_name: str | None
    rule: str
    reason: str
    raw_text: str

    @property
    def sentence(self) -> str:
        """Where it is and what is wrong with it."""
        return f"{self.path}, line {self.line}: {self.reason}."


@dataclass(frozen=True, kw_only=True)
class TableLoad:
    """What one call of `load_table` did.

    Rows are those of the files that were loaded now; rows_read = rows_loaded + rows_rejected +
    rows_duplicate. `is_landed` is False for a table of which nothing was ever loaded.
    """

    table: str
    mode: str
    files_new: int = 0
    files_already_loaded: int = 0
    files_refused: int = 0
    rows_read: int = 0
    rows_loaded: int = 0
    rows_rejected: int = 0
    rows_duplicate: int = 0
    refusals: tuple[str, ...] = ()
    watermark_at: datetime | None = None
    rejected_sample: tuple[RejectedRow, ...] = ()
    new_delivery_ids: tuple[int, ...] = ()
    is_landed: bool = False


@dataclass(frozen=True, kw_only=True)
class _Found:
    """A file of the landing with what one look at it said."""

    file: LandedFile
    inspection: Inspection


_Refusal = tuple[_Found, str]


@dataclass(frozen=True, kw_only=True)
class _Job:
    """A file to be read, and the delivery that it becomes or, read again, already is."""

    found: _Found
    delivery: Delivery
    staged: Staged | None = None


@dataclass(frozen=True, kw_only=True)
class _Load:
    """What stays the same through one call of `load_table`."""

    connection: duckdb.DuckDBPyConnection
    contract: Contract
    plan: ReadPlan
    known: KnownLog
    as_of: datetime
    run_id: str
    loaded_at: datetime
    time_zone: str
    shrink_limit: float
    batch_bytes: int

    @property
    def is_full(self) -> bool:
        return self.plan.mode == "full"

    def deliveries(self, state: str = "loaded") -> list[Delivery]:
        """The table's deliveries of one state, in the order in which they count."""
        every = read_deliveries(self.connection, self.contract)
        return sorted((d for d in every if d.state == state), key=lambda d: d.load_order)


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
    load = _Load(
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
    known.remember(_ever_loaded(load))
    found = [_Found(file=f, inspection=inspect(f)) for f in find_files(landing, plan.files)]
    return _load(load, found)


def _load(load: _Load, found: Sequence[_Found]) -> TableLoad:
    refused: list[_Refusal] = [
        (f, f.inspection.refusal) for f in found if f.inspection.refusal is not None
    ]
    sound = [f for f in found if f.inspection.refusal is None]
    jobs = _new_jobs(load, sound)
    loaded: list[int] = []
    for batch in _batches(jobs, load.batch_bytes):
        accepted, turned_down = _load_batch(load, batch, sound)
        loaded += accepted
        refused += turned_down
    _book_refusals(load, refused)
    already = len(sound) - len(jobs)
    return _report(load, loaded, [reason for _, reason in refused], already)


# What is new


def _new_jobs(load: _Load, sound: Sequence[_Found]) -> list[_Job]:
    """The files whose content is not what was last loaded of their path, in their order."""
    newest: dict[str, Delivery] = {}
    for delivery in sorted(_ever_loaded(load), key=lambda d: d.path_version):
        newest[delivery.path] = delivery
    jobs = []
    for found in sound:
        last = newest.get(found.file.path)
        if last is None or last.content_hash != found.inspection.content_hash:
            jobs.append(_Job(found=found, delivery=_new_delivery(load, found, last)))
    jobs.sort(key=lambda job: job.delivery.load_order)
    first = next_delivery_id(load.connection)
    numbered = [
        replace(job, delivery=replace(job.delivery, delivery_id=first + n))
        for n, job in enumerate(jobs)
    ]
    if load.contract.is_entity:
        return numbered
    # A changed file takes rows back, and others get them: that happens in the first batch.
    return sorted(numbered, key=lambda job: job.found.file.path not in newest)


def _ever_loaded(load: _Load) -> list[Delivery]:
    return [*load.deliveries("loaded"), *load.deliveries("superseded")]


def _new_delivery(load: _Load, found: _Found, last: Delivery | None) -> Delivery:
    """The delivery of a new content: as the log remembers it, else first seen by this run."""
    path, content_hash = found.file.path, found.inspection.content_hash
    version = 0 if last is None else last.path_version
    table = load.contract.name
    remembered = load.known.newest(table, path, content_hash)
    if remembered is not None and remembered.version > version:
        version, first_as_of = remembered.version, remembered.first_as_of
    else:
        versions = [k.version for k in load.known.of_table(table) if k.path == path]
        version, first_as_of = max([version, *versions]) + 1, load.as_of
    return Delivery(
        delivery_id=0,
        source=load.contract.source,
        table_name=load.contract.table,
        path=path,
        content_hash=content_hash,
        path_version=version,
        dt=found.file.dt,
        size_bytes=found.inspection.size_bytes,
        first_as_of=first_as_of,
        delivered_at=delivered_at(found.file.dt, first_as_of, load.time_zone),
        run_id=load.run_id,
        loaded_at=load.loaded_at,
    )


def _batches(jobs: Sequence[_Job], limit: int) -> list[list[_Job]]:
    """Jobs in groups of about so many bytes; all changed files come in the first."""
    batches: list[list[_Job]] = []
    size = limit
    for job in jobs:
        is_first_change = bool(batches) and len(batches) == 1 and job.delivery.path_version > 1
        if size >= limit and not is_first_change:
            batches.append([])
            size = 0
        batches[-1].append(job)
        size += job.delivery.size_bytes
    return batches


# One batch


def _load_batch(
    load: _Load, batch: Sequence[_Job], sound: Sequence[_Found]
) -> tuple[list[int], list[_Refusal]]:
    """Reads and commits a batch; the numbers of what was loaded, and the files turned down."""
    staged, refused = _stage_all(load, batch)
    replaced = _replaced(load, staged)
    again, _ = _stage_all(load, _taken_again(load, replaced, sound) if replaced else [])
    try:
        if staged:
            _commit(load, staged, again, replaced)
    finally:
        for job in (*staged, *again):
            drop_books(load.connection, _table_of(job))
    load.known.remember(_ever_loaded(load))
    return [job.delivery.delivery_id for job in staged], refused


def _table_of(job: _Job) -> str:
    return f"staged_{job.delivery.delivery_id}"


def _stage_all(load: _Load, jobs: Iterable[_Job]) -> tuple[list[_Job], list[_Refusal]]:
    staged: list[_Job] = []
    refused: list[_Refusal] = []
    for job in jobs:
        try:
            done = _stage(load, job)
            staged.append(done)
            if load.is_full:
                _refuse_shrunk(load, done, [other.delivery for other in staged[:-1]])
        except RefusedFileError as error:
            staged = [other for other in staged if _table_of(other) != _table_of(job)]
            drop_books(load.connection, _table_of(job))
            refused.append((job.found, str(error)))
    return staged, refused


def _stage(load: _Load, job: _Job) -> _Job:
    staged = stage(
        load.connection,
        file=job.found.file,
        inspection=job.found.inspection,
        contract=load.contract,
        plan=load.plan,
        table=_table_of(job),
    )
    assert_unchanged(job.found.file, job.found.inspection)
    delivery = replace(job.delivery, rows_read=staged.rows_read, rows_rejected=staged.rows_rejected)
    return _Job(found=job.found, delivery=delivery, staged=staged)


def _refuse_shrunk(load: _Load, job: _Job, siblings: Sequence[Delivery]) -> None:
    """Raises RefusedFileError for a full extract far smaller than the one before it in order."""
    new = job.delivery
    every = [*load.deliveries(), *siblings]
    before = [d for d in every if d.load_order < new.load_order]
    if not before:
        return
    last = max(before, key=lambda d: d.load_order)
    if new.rows_read >= last.rows_read * (1 - load.shrink_limit):
        return
    raise RefusedFileError(
        f"{new.path}: has {new.rows_read} rows where the full extract before it ({last.path}) had "
        f"{last.rows_read}, a loss of more than {load.shrink_limit:.0%}, so nothing was ended; "
        "deliver the whole table, or raise the shrink limit for this run if it is right."
    )


def _replaced(load: _Load, staged: Sequence[_Job]) -> list[Delivery]:
    """The deliveries of append tables whose path now has another content."""
    if load.contract.is_entity:
        return []
    paths = {job.delivery.path for job in staged}
    return [delivery for delivery in load.deliveries() if delivery.path in paths]


def _taken_again(load: _Load, replaced: Sequence[Delivery], sound: Sequence[_Found]) -> list[_Job]:
    """Deliveries that lost duplicates: some of these may be the only ones of their key now."""
    gone = {delivery.path for delivery in replaced}
    here = {(f.file.path, f.inspection.content_hash): f for f in sound}
    jobs = []
    for delivery in load.deliveries():
        found = here.get((delivery.path, delivery.content_hash))
        if delivery.rows_duplicate and delivery.path not in gone and found is not None:
            jobs.append(_Job(found=found, delivery=delivery))
    return jobs


def _commit(
    load: _Load, staged: Sequence[_Job], again: Sequence[_Job], replaced: Sequence[Delivery]
) -> None:
    """Rows, rejects and manifest of a batch in one transaction."""
    connection = load.connection
    connection.execute("begin transaction")
    try:
        _apply(load, staged, again, replaced)
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise


def _apply(
    load: _Load, staged: Sequence[_Job], again: Sequence[_Job], replaced: Sequence[Delivery]
) -> None:
    connection, contract = load.connection, load.contract
    _forget_refusals(load, {job.delivery.path for job in staged})
    take_back(connection, contract, [d.delivery_id for d in (*replaced, *_of(again))])
    write_deliveries(connection, [replace(d, state="superseded") for d in replaced])
    before = {delivery.delivery_id: delivery for delivery in load.deliveries()}
    every = _with_known(load, before | {d.delivery_id: d for d in (*_of(again), *_of(staged))})
    for job in (*staged, *again):
        delivery = every[job.delivery.delivery_id]
        if job.staged is not None:
            insert_rows(
                connection, contract, delivery, staged=job.staged.rows, is_full=load.is_full
            )
            insert_rejects(connection, delivery, rejects=job.staged.rejects)
    for number, delivery in before.items():
        if every[number].known_at != delivery.known_at:
            set_known_at(connection, contract, every[number])
    _settle(load, every, before, {job.delivery.delivery_id for job in (*staged, *again)})


def _of(jobs: Iterable[_Job]) -> list[Delivery]:
    return [job.delivery for job in jobs]


def _settle(
    load: _Load, every: dict[int, Delivery], before: dict[int, Delivery], fresh: set[int]
) -> None:
    """Duplicates or deletions across deliveries, then the counts, checked, into the manifest."""
    connection, contract = load.connection, load.contract
    ordered = sorted(every.values(), key=lambda delivery: delivery.load_order)
    lost: dict[int, int] = {}
    if load.is_full:
        mark_deleted(connection, contract, ordered)
    elif not contract.is_entity:
        order = [delivery.delivery_id for delivery in ordered]
        lost = remove_duplicates(connection, contract, fresh=fresh, order=order)
    loaded = count_rows(connection, contract)
    for delivery in ordered:
        number = delivery.delivery_id
        earlier = 0 if number in fresh else delivery.rows_duplicate
        final = replace(
            delivery,
            rows_loaded=loaded.get(number, 0),
            rows_duplicate=earlier + lost.get(number, 0),
        )
        _assert_tallies(final)
        if number in fresh:
            final = replace(final, watermark_at=_watermark(load, final))
        if final != before.get(number):
            write_deliveries(connection, [final])


def _assert_tallies(delivery: Delivery) -> None:
    """Rows read = loaded + rejected + duplicates, for every file, or nothing is committed."""
    found = delivery.rows_loaded + delivery.rows_rejected + delivery.rows_duplicate
    if delivery.rows_read != found:
        raise AssertionError(
            f"{delivery.path}: {delivery.rows_read} rows were read, but {delivery.rows_loaded} "
            f"loaded, {delivery.rows_rejected} rejected and {delivery.rows_duplicate} duplicate."
        )


def _with_known(load: _Load, every: dict[int, Delivery]) -> dict[int, Delivery]:
    """All deliveries with the instants from which they are known, as all of them say together."""
    history = [k.arrival(load.time_zone) for k in load.known.of_table(load.contract.name)]
    history += [_arrival(delivery) for delivery in load.deliveries("superseded")]
    instants = known_instants({n: _arrival(d) for n, d in every.items()}, history)
    return {number: replace(d, known_at=instants[number]) for number, d in every.items()}


def _arrival(delivery: Delivery) -> Arrival:
    return Arrival(
        dt=delivery.dt, first_as_of=delivery.first_as_of, delivered_at=delivery.delivered_at
    )


def _watermark(load: _Load, delivery: Delivery) -> datetime | None:
    """The end of the dt= day, else the newest row that was dated before the run that brought it."""
    if delivery.dt is not None:
        return delivery.delivered_at
    dated_by = load.contract.dated_by
    if dated_by is None:
        return None
    row = load.connection.execute(
        f"select max({quoted(dated_by)}) from {raw_name(load.contract)} "  # noqa: S608
        f"where _delivery_id = ? and {quoted(dated_by)} < ?",
        [delivery.delivery_id, delivery.first_as_of],
    ).fetchone()
    return None if row is None else row[0]


# Refusals


def _forget_refusals(load: _Load, paths: set[str]) -> None:
    load.connection.execute(
        "delete from landing.deliveries where source = ? and table_name = ? "
        "and state = 'refused' and path in (select unnest(?::varchar[]))",
        [load.contract.source, load.contract.table, sorted(paths)],
    )


def _book_refusals(load: _Load, refused: Sequence[_Refusal]) -> None:
    """The manifest's refused files are those that are refused now; a known one stays as it is."""
    now = {(f.file.path, f.inspection.content_hash, reason) for f, reason in refused}
    there = load.deliveries("refused")
    kept = {(d.path, d.content_hash, d.refusal or "") for d in there} & now
    gone = {d.path for d in there if (d.path, d.content_hash, d.refusal or "") not in kept}
    _forget_refusals(load, gone)
    number = next_delivery_id(load.connection)
    for found, reason in refused:
        if (found.file.path, found.inspection.content_hash, reason) in kept:
            continue
        fresh = replace(
            _new_delivery(load, found, None),
            delivery_id=number,
            path_version=0,
            state="refused",
            refusal=reason,
        )
        write_deliveries(load.connection, [fresh])
        number += 1


# The report


def _report(load: _Load, loaded: Sequence[int], refusals: Sequence[str], already: int) -> TableLoad:
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


def _sample(load: _Load, loaded: Sequence[int]) -> tuple[RejectedRow, ...]:
    rows = load.connection.execute(
        "select path, line, column_name, rule, reason, raw_text from landing.quarantine "
        "where delivery_id in (select unnest(?::bigint[])) order by path, line limit ?",
        [list(loaded), SAMPLE_ROWS],
    ).fetchall()
    names = ("path", "line", "column_name", "rule", "reason", "raw_text")
    return tuple(RejectedRow(**dict(zip(names, row, strict=True))) for row in rows)
