"""One batch of files: read, then rows, rejects and manifest committed together.

Files are read into temporary tables first, since an error inside a transaction would end it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from assets.extracts.casting import quoted
from assets.extracts.deliveries import Arrival, Delivery, known_instants, write_deliveries
from assets.extracts.errors import RefusedFileError
from assets.extracts.inspection import assert_unchanged
from assets.extracts.loads import Found, Job, Load, Refusal
from assets.extracts.reader import stage
from assets.extracts.refusals import forget_refusals
from assets.extracts.rejects import drop_books
from assets.extracts.tables import (
    count_rows,
    insert_rejects,
    insert_rows,
    raw_name,
    remove_duplicates,
    set_known_at,
    take_back,
)
from assets.extracts.tombstones import mark_deleted


def load_batch(
    load: Load, batch: Sequence[Job], sound: Sequence[Found]
) -> tuple[list[int], list[Refusal]]:
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
    load.known.remember(load.ever_loaded())
    return [job.delivery.delivery_id for job in staged], refused


def _table_of(job: Job) -> str:
    return f"staged_{job.delivery.delivery_id}"


def _stage_all(load: Load, jobs: Iterable[Job]) -> tuple[list[Job], list[Refusal]]:
    staged: list[Job] = []
    refused: list[Refusal] = []
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


def _stage(load: Load, job: Job) -> Job:
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
    return Job(found=job.found, delivery=delivery, staged=staged)


def _refuse_shrunk(load: Load, job: Job, siblings: Sequence[Delivery]) -> None:
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


def _replaced(load: Load, staged: Sequence[Job]) -> list[Delivery]:
    """The deliveries of append tables whose path now has another content."""
    if load.contract.is_entity:
        return []
    paths = {job.delivery.path for job in staged}
    return [delivery for delivery in load.deliveries() if delivery.path in paths]


def _taken_again(load: Load, replaced: Sequence[Delivery], sound: Sequence[Found]) -> list[Job]:
    """Deliveries that lost duplicates: some of these may be the only ones of their key now."""
    gone = {delivery.path for delivery in replaced}
    here = {(f.file.path, f.inspection.content_hash): f for f in sound}
    jobs = []
    for delivery in load.deliveries():
        found = here.get((delivery.path, delivery.content_hash))
        if delivery.rows_duplicate and delivery.path not in gone and found is not None:
            jobs.append(Job(found=found, delivery=delivery))
    return jobs


def _commit(
    load: Load, staged: Sequence[Job], again: Sequence[Job], replaced: Sequence[Delivery]
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
    load: Load, staged: Sequence[Job], again: Sequence[Job], replaced: Sequence[Delivery]
) -> None:
    connection, contract = load.connection, load.contract
    forget_refusals(load, {job.delivery.path for job in staged})
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


def _of(jobs: Iterable[Job]) -> list[Delivery]:
    return [job.delivery for job in jobs]


def _settle(
    load: Load, every: dict[int, Delivery], before: dict[int, Delivery], fresh: set[int]
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
