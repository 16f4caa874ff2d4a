"""One batch of files: read, then rows, rejects and manifest committed together.

Files are read into temporary tables first, since an error inside a transaction would end it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from assets.extracts.casting import raw_name
from assets.extracts.deliveries import (
    Arrival,
    Delivery,
    forget_deliveries,
    known_instants,
    write_deliveries,
)
from assets.extracts.duplicates import (
    find_duplicates,
    forget_duplicates,
    remove_older,
)
from assets.extracts.errors import ExtractError, RefusedFileError
from assets.extracts.event_days import note_deliveries, note_losers
from assets.extracts.inspection import assert_unchanged
from assets.extracts.landing import find_files, plan_of
from assets.extracts.loads import Found, Job, Load, Refusal
from assets.extracts.lookups import read_lookups
from assets.extracts.reader import stage
from assets.extracts.refusals import forget_refusals
from assets.extracts.rejects import drop_books
from assets.extracts.seen import look, remember_files
from assets.extracts.statements import LookupTable
from assets.extracts.tables import (
    Rows,
    count_rows,
    insert_rejects,
    insert_rows,
    set_known_at,
    take_back,
)
from assets.extracts.tombstones import mark_deleted
from assets.sql_text import quoted
from assets.transactions import transaction


def load_batch(
    load: Load, batch: Sequence[Job], here: Mapping[str, Found]
) -> tuple[list[int], list[Refusal]]:
    """Reads and commits a batch.

    Args:
        load: the circumstances.
        batch: what is new; its files are fetched.
        here: the files of the landing whose content is known, by path.

    Returns:
        The numbers of what was loaded, and the files turned down.
    """
    staged, refused = stage_all(load, batch)
    unseated = unseat_shrunk(load, staged, here) if load.is_full else []
    replaced = replaced_by(load, staged)
    again, _ = stage_all(load, taken_again(load, replaced) if replaced else [])
    change = Change(
        load=load,
        staged=tuple(staged),
        again=tuple(again),
        replaced=tuple(replaced),
        unseated=tuple(delivery for delivery, _ in unseated),
    )
    try:
        if staged:
            commit([change])
    finally:
        drop_staged(change)
    load.known.remember(load.ever_loaded())
    return [job.delivery.delivery_id for job in staged], [
        *refused,
        *(refusal for _, refusal in unseated),
    ]


@dataclass(frozen=True, kw_only=True)
class Change:
    """What is committed together for one table.

    Attributes:
        load: the circumstances.
        staged: new deliveries.
        again: deliveries that are read again, in place of what they had loaded.
        replaced: deliveries whose rows are taken back, for another content of their path.
        unseated: deliveries that are refused after all.
    """

    load: Load
    staged: tuple[Job, ...] = ()
    again: tuple[Job, ...] = ()
    replaced: tuple[Delivery, ...] = ()
    unseated: tuple[Delivery, ...] = ()

    @property
    def fresh(self) -> set[int]:
        """The deliveries whose rows are inserted."""
        return {job.delivery.delivery_id for job in (*self.staged, *self.again)}


def _table_of(job: Job) -> str:
    return f"staged_{job.delivery.delivery_id}"


def drop_staged(change: Change) -> None:
    """Drops the temporary tables of a change, and the copies of files that lie elsewhere."""
    for job in (*change.staged, *change.again):
        drop_books(change.load.connection, _table_of(job))
        change.load.landing.store.release(job.found.file.path)


def stage_all(load: Load, jobs: Sequence[Job]) -> tuple[list[Job], list[Refusal]]:
    """Reads files into temporary tables, one by one; those that can't be read are turned down."""
    staged: list[Job] = []
    refused: list[Refusal] = []
    try:
        lookups = _lookups(load) if jobs else {}
    except RefusedFileError as error:
        return [], [Refusal(found=job.found, reason=str(error)) for job in jobs]
    for number, job in enumerate(jobs, start=1):
        try:
            done = _stage(load, job, lookups)
            if load.is_full:
                _refuse_shrunk(load, done, [other.delivery for other in staged])
            staged.append(done)
        except (RefusedFileError, _UnreadableError) as error:
            drop_books(load.connection, _table_of(job))
            load.landing.store.release(job.found.file.path)
            is_lasting = isinstance(error, _UnreadableError)
            refused.append(Refusal(found=job.found, reason=str(error), is_lasting=is_lasting))
        load.say(
            f"{load.contract.name}: file {number:,} of {len(jobs):,}, "
            f"{sum(other.delivery.rows_read for other in staged):,} rows read"
        )
    return staged, refused


def _lookups(load: Load) -> dict[str, LookupTable]:
    """Reads the lookups; their files need to be there only until then."""
    files = [file for lookup in load.lookups.values() for file in lookup.files]
    with load.landing.fetched(files):
        return read_lookups(load.connection, load.plan, load.lookups)


class _UnreadableError(Exception):
    """The content of a file is refused, and will be as long as contract and profile stay."""


def _stage(load: Load, job: Job, lookups: Mapping[str, LookupTable]) -> Job:
    """Reads a file; what is staged may be a view of it, so it stays until it is committed."""
    load.landing.store.fetch(job.found.file.entry)
    try:
        staged = stage(
            load.connection,
            file=job.found.file,
            inspection=job.found.inspection,
            contract=load.contract,
            plan=plan_of(load.plan, job.found.file.path),
            table=_table_of(job),
            lookups=lookups,
            retained_from=load.retained_from,
        )
    except RefusedFileError as error:
        assert_unchanged(job.found.file, job.found.inspection)
        raise _UnreadableError(str(error)) from error
    assert_unchanged(job.found.file, job.found.inspection)
    delivery = replace(
        job.delivery,
        rows_read=staged.rows_read,
        rows_rejected=staged.rows_rejected,
        file_columns=staged.file_columns,
    )
    return Job(found=job.found, delivery=delivery, staged=staged)


def _refuse_shrunk(load: Load, job: Job, siblings: Sequence[Delivery]) -> None:
    """Raises RefusedFileError for a full extract far smaller than the one before it in order."""
    new = job.delivery
    every = [*load.deliveries(), *siblings]
    before = [d for d in every if d.load_order < new.load_order]
    if before and (reason := _shrunk(load, max(before, key=lambda d: d.load_order), new)):
        raise RefusedFileError(reason)


def _shrunk(load: Load, last: Delivery, new: Delivery) -> str | None:
    """What is wrong with a full extract after the one before it, if it lost too much."""
    if new.rows_read >= last.rows_read * (1 - load.shrink_limit):
        return None
    return (
        f"{new.path}: has {new.rows_read} rows where the full extract before it ({last.path}) had "
        f"{last.rows_read}, a loss of more than {load.shrink_limit:.0%}, so nothing was ended; "
        "deliver the whole table, or raise CSW_MAX_SHRINK_SHARE for this run if it is right."
    )


def unseat_shrunk(
    load: Load, staged: Sequence[Job], here: Mapping[str, Found]
) -> list[tuple[Delivery, Refusal]]:
    """Full extracts that are far smaller than one that arrived late and counts before them.

    What is accepted is so a matter of what arrived, not of the order in which it did. One that
    nothing arrived before stays, whatever the limit was when it came; so does one that has left
    the landing, since it could never come back.
    """
    fresh = {job.delivery.delivery_id for job in staged}
    every = [*load.deliveries(), *(job.delivery for job in staged)]
    last: Delivery | None = None
    unseated = []
    for delivery in sorted(every, key=lambda d: d.load_order):
        is_fresh = delivery.delivery_id in fresh
        reason = _shrunk(load, last, delivery) if last is not None and not is_fresh else None
        found = here.get(delivery.path)
        if reason and found and found.content_hash == delivery.content_hash:
            unseated.append((delivery, Refusal(found=found, reason=reason)))
        else:
            last = delivery if is_fresh else None
    return unseated


def replaced_by(load: Load, staged: Sequence[Job]) -> list[Delivery]:
    """The deliveries of append tables whose path now has another content."""
    if load.contract.is_entity:
        return []
    paths = {job.delivery.path for job in staged}
    return [delivery for delivery in load.deliveries() if delivery.path in paths]


def taken_again(load: Load, replaced: Sequence[Delivery]) -> list[Job]:
    """Deliveries that lost duplicates: some of these may be the only ones of their key now."""
    gone = {delivery.path for delivery in replaced}
    here = {file.path: file for file in find_files(load.landing, load.plan.files)}
    jobs = []
    for delivery in load.deliveries():
        if delivery.rows_duplicate and delivery.path not in gone and delivery.path in here:
            found = look(load, here[delivery.path])
            load.landing.store.release(delivery.path)
            if found is not None and found.content_hash == delivery.content_hash:
                jobs.append(Job(found=found, delivery=delivery))
    return jobs


def commit(changes: Sequence[Change], *, then: Callable[[], None] = lambda: None) -> None:
    """Rows, rejects and manifest of changes, and what is done then, all in one transaction."""
    with transaction(changes[0].load.connection):
        for change in changes:
            _apply(change)
        then()


def _apply(change: Change) -> None:
    load = change.load
    connection, contract = load.connection, load.contract
    forget_refusals(load, {job.delivery.path for job in change.staged})
    back = (*change.replaced, *change.unseated, *_of(change.again))
    note_deliveries(connection, contract, [delivery.delivery_id for delivery in back])
    take_back(connection, contract, [delivery.delivery_id for delivery in back])
    forget_deliveries(connection, change.unseated)
    write_deliveries(connection, [replace(d, state="superseded") for d in change.replaced])
    before = {delivery.delivery_id: delivery for delivery in load.deliveries()}
    fresh = {d.delivery_id: d for d in (*_of(change.again), *_of(change.staged))}
    every = _with_known(load, before | fresh)
    ordered = sorted(every.values(), key=lambda delivery: delivery.load_order)
    lost = {} if contract.is_entity else _without_duplicates(change, ordered)
    _insert(change, every, lost)
    dated_anew = [
        number
        for number, delivery in before.items()
        if number not in fresh and every[number].known_at != delivery.known_at
    ]
    for number in dated_anew:
        set_known_at(connection, contract, every[number])
    note_deliveries(connection, contract, [*fresh, *dated_anew])
    if load.is_full:
        mark_deleted(connection, contract, ordered)
    forget_duplicates(connection)
    _write_counts(load, ordered, before, change.fresh, lost)
    remember_files(load, [job.found for job in change.staged])


def _without_duplicates(change: Change, ordered: Sequence[Delivery]) -> dict[int, int]:
    """Finds the duplicates among old and new rows, and removes the old; how many of each."""
    connection, contract = change.load.connection, change.load.contract
    staged = {
        job.delivery.delivery_id: job.staged
        for job in (*change.staged, *change.again)
        if job.staged is not None
    }
    order = [delivery.delivery_id for delivery in ordered]
    lost = find_duplicates(connection, contract, staged, order)
    if lost.keys() - staged.keys():
        note_losers(connection, contract)
        remove_older(connection, contract)
    return lost


def _insert(change: Change, every: Mapping[int, Delivery], lost: Mapping[int, int]) -> None:
    """The rows of all staged files, then their rejects."""
    load = change.load
    jobs = (*change.staged, *change.again)
    files = [
        Rows(
            delivery=every[job.delivery.delivery_id],
            staged=job.staged,
            has_losers=job.delivery.delivery_id in lost,
        )
        for job in jobs
        if job.staged is not None
    ]
    insert_rows(load.connection, load.contract, files, is_full=load.is_full)
    for job in jobs:
        _assert_still_the_same(job)
    for rows in files:
        if rows.staged.rows_rejected:
            insert_rejects(load.connection, rows.delivery, rejects=rows.staged.rejects)


def _assert_still_the_same(job: Job) -> None:
    """Raises ExtractError, which undoes the batch, where a file changed after it was judged."""
    try:
        assert_unchanged(job.found.file, job.found.inspection)
    except (RefusedFileError, FileNotFoundError) as error:
        raise ExtractError(
            f"{job.found.file.path}: changed while its batch was being loaded, so none of the "
            "batch was; deliver it again under another name if it was not whole, and run again."
        ) from error


def _of(jobs: Iterable[Job]) -> list[Delivery]:
    return [job.delivery for job in jobs]


def _write_counts(
    load: Load,
    ordered: Sequence[Delivery],
    before: Mapping[int, Delivery],
    fresh: set[int],
    lost: Mapping[int, int],
) -> None:
    """The counts of what changed, checked, into the manifest."""
    connection, contract = load.connection, load.contract
    touched = fresh | lost.keys()
    loaded = count_rows(connection, contract, touched)
    final = []
    for delivery in ordered:
        if delivery.delivery_id in touched:
            gone = lost.get(delivery.delivery_id, 0)
            final.append(
                _tallied(load, delivery, loaded, gone, is_fresh=delivery.delivery_id in fresh)
            )
        elif delivery != before.get(delivery.delivery_id):
            final.append(delivery)
    write_deliveries(connection, final)


def _tallied(
    load: Load, delivery: Delivery, loaded: Mapping[int, int], lost: int, *, is_fresh: bool
) -> Delivery:
    """A delivery with its counts, which add up."""
    earlier = 0 if is_fresh else delivery.rows_duplicate
    final = replace(
        delivery,
        rows_loaded=loaded.get(delivery.delivery_id, 0),
        rows_duplicate=earlier + lost,
    )
    _assert_tallies(final)
    return replace(final, watermark_at=_watermark(load, final)) if is_fresh else final


def _assert_tallies(delivery: Delivery) -> None:
    """Rows read = loaded + rejected + duplicates, for every file, or nothing is committed."""
    found = delivery.rows_loaded + delivery.rows_rejected + delivery.rows_duplicate
    if delivery.rows_read != found:
        raise AssertionError(
            f"{delivery.path}: {delivery.rows_read} rows were read, but {delivery.rows_loaded} "
            f"loaded, {delivery.rows_rejected} rejected and {delivery.rows_duplicate} duplicate."
        )


def _with_known(load: Load, every: dict[int, Delivery]) -> dict[int, Delivery]:
    """All deliveries with the instants from which they are known, as all of them say together."""
    history = [k.arrival(load.time_zone) for k in load.known.of_table(load.contract.name)]
    history += [_arrival(delivery) for delivery in load.deliveries("superseded")]
    instants = known_instants({n: _arrival(d) for n, d in every.items()}, history)
    return {number: replace(d, known_at=instants[number]) for number, d in every.items()}


def _arrival(delivery: Delivery) -> Arrival:
    return Arrival(
        dt=delivery.dt, first_as_of=delivery.first_as_of, delivered_at=delivery.delivered_at
    )


def _watermark(load: Load, delivery: Delivery) -> datetime | None:
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
