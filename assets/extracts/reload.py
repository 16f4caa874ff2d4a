"""Reads again what was rejected, or whole files, under today's contract and profile.

What comes of it takes the place of what the same delivery had loaded: it is the same content, so
its identity, its order and from when it is known stay. All of it or nothing, and it is logged.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import duckdb

from assets.extracts.batches import (
    Change,
    commit,
    drop_staged,
    replaced_by,
    stage_all,
    taken_again,
)
from assets.extracts.contracts import load_contracts
from assets.extracts.deliveries import Delivery
from assets.extracts.errors import ExtractError
from assets.extracts.known_log import KnownLog
from assets.extracts.landing import LandedFile, Landing, find_files
from assets.extracts.landing_tables import insert_many
from assets.extracts.loads import Job, Load, Refusal
from assets.extracts.planning import new_jobs
from assets.extracts.profiles import Profile
from assets.extracts.seen import find_lookups, look

NAMED = "named"
REJECTED = "rejected rows"
REFUSED = "refused until now"


@dataclass(frozen=True, kw_only=True)
class Reloaded:
    """One delivery that was read again, as it was before and as it is now."""

    before: Delivery
    after: Delivery
    reason: str

    @property
    def sentence(self) -> str:
        """What became of its rows."""
        return (
            f"{self.after.path}: {self.before.rows_loaded:,} rows loaded and "
            f"{self.before.rows_rejected:,} rejected before, {self.after.rows_loaded:,} and "
            f"{self.after.rows_rejected:,} now."
        )


@dataclass(frozen=True, kw_only=True)
class Reload:
    """What one call did.

    Attributes:
        reloaded: The deliveries that were read again.
        still_refused: A sentence for each file that is refused as before.
        missing: A sentence for each delivery with rejects whose content has left the landing.
    """

    reloaded: tuple[Reloaded, ...] = ()
    still_refused: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """What is to be read again of one table."""

    change: Change
    reasons: dict[int, str]
    before: dict[int, Delivery]
    still_refused: tuple[str, ...]
    missing: tuple[str, ...]


def reload_files(
    connection: duckdb.DuckDBPyConnection,
    *,
    profile: Profile,
    landing: Landing,
    known: KnownLog,
    reload_id: str,
    reloaded_at: datetime,
    files: Sequence[str] | None = None,
    rejected: bool = False,
    time_zone: str = "UTC",
    shrink_limit: float = 0.5,
    clock_ns: Callable[[], int] = time.time_ns,
    say: Callable[[str], None] = lambda _: None,
) -> Reload:
    """Reads deliveries again, in one transaction; whoever calls holds the build's lock.

    Args:
        connection: the build, prepared, outside any transaction.
        profile: how files are read today.
        landing: the landing, listed.
        known: what is remembered of earlier deliveries.
        reload_id: names this call in landing.reloads.
        reloaded_at: wall clock, for landing.reloads.
        files: paths in the landing whose last delivery is read again, refused or not.
        rejected: instead, every delivery with rows in quarantine and every refused file.
        time_zone: the reporting time zone.
        shrink_limit: the share by which a full extract that was refused may have shrunk.
        clock_ns: the clock that dates a look at a file.
        say: told of every file that was read.

    Raises:
        ExtractError: a named file was never delivered, is no longer there with the content that
            was loaded, or can no longer be read at all. Nothing has changed then.
    """
    connection.execute("set TimeZone = 'UTC'")
    wanted = None if rejected else {_relative(landing, path) for path in files or ()}
    loads = []
    for contract in load_contracts().values():
        plan = profile.table(contract)
        if plan is None:
            continue
        load = Load(
            connection=connection,
            contract=contract,
            plan=plan,
            landing=landing,
            known=known,
            as_of=_last_as_of(connection),
            run_id=reload_id,
            loaded_at=reloaded_at,
            time_zone=time_zone,
            shrink_limit=shrink_limit,
            batch_bytes=0,
            clock_ns=clock_ns,
            say=say,
        )
        loads.append(replace(load, lookups=find_lookups(load)))
    _refuse_unknown(loads, wanted)
    return _reload(loads, wanted)


def _relative(landing: Landing, path: str) -> str:
    """A path as the manifest has it, whether or not it was given with the landing's name."""
    return path.removeprefix(f"{landing.store.name}/").removeprefix("./")


def _last_as_of(connection: duckdb.DuckDBPyConnection) -> datetime:
    """The as-of of the last run: what was refused until now was not known before it."""
    row = connection.execute("select max(first_as_of) from landing.deliveries").fetchone()
    last = None if row is None else row[0]
    return last if isinstance(last, datetime) else datetime(1970, 1, 1, tzinfo=UTC)


def _refuse_unknown(loads: Sequence[Load], wanted: set[str] | None) -> None:
    there = {d.path for load in loads for d in load.deliveries("loaded", "refused")}
    for path in sorted((wanted or set()) - there):
        raise ExtractError(
            f"{path}: no delivery of this path is loaded or refused, so there is nothing to read "
            "again; name it as it lies in the landing, or let csw run load it."
        )


def _reload(loads: Sequence[Load], wanted: set[str] | None) -> Reload:
    plans: list[_Plan] = []
    try:
        for load in loads:
            taken = sum(len(plan.change.staged) for plan in plans)
            plans.append(_plan(load, wanted, taken))
        active = [plan for plan in plans if plan.change.fresh]
        reloaded: list[Reloaded] = []
        if active:
            changes = [plan.change for plan in active]
            commit(changes, then=lambda: reloaded.extend(_log(active)))
    finally:
        for plan in plans:
            drop_staged(plan.change)
    for plan in active:
        plan.change.load.known.remember(plan.change.load.ever_loaded())
    return Reload(
        reloaded=tuple(reloaded),
        still_refused=tuple(s for plan in plans for s in plan.still_refused),
        missing=tuple(s for plan in plans for s in plan.missing),
    )


def _plan(load: Load, wanted: set[str] | None, taken: int) -> _Plan:
    """Stages what is to be read again of one table; so many new numbers are taken by others."""
    here = {file.path: file for file in find_files(load.landing, load.plan.files)}
    again, missing = _loaded_before(load, wanted, here)
    refused_until_now = [
        d for d in load.deliveries("refused") if wanted is None or d.path in wanted
    ]
    # A reload is meant: what it makes of a file is not held against the extract before it.
    staged_again, unreadable = stage_all(replace(load, shrink_limit=1.0), again)
    for refusal in unreadable:
        raise ExtractError(f"{refusal.reason} Nothing was reloaded: what it had loaded stays.")
    staged, refused = _accepted_now(load, refused_until_now, here, taken)
    replaced = replaced_by(load, staged)
    touched = [*replaced, *(job.delivery for job in staged_again)]
    freed, _ = stage_all(load, taken_again(load, touched) if touched else [])
    before = {d.delivery_id: d for d in (*load.deliveries(), *refused_until_now)}
    change = Change(
        load=load,
        staged=tuple(staged),
        again=(*staged_again, *freed),
        replaced=tuple(replaced),
    )
    reason = REJECTED if wanted is None else NAMED
    return _Plan(
        change=change,
        reasons={job.delivery.delivery_id: reason for job in staged_again}
        | {job.delivery.delivery_id: REFUSED for job in staged},
        before=before,
        still_refused=tuple(refusal.reason for refusal in refused),
        missing=tuple(missing),
    )


def _loaded_before(
    load: Load, wanted: set[str] | None, here: dict[str, LandedFile]
) -> tuple[list[Job], list[str]]:
    """The deliveries to be read again; a sentence for each whose content is no longer there."""
    jobs, missing = [], []
    for delivery in _chosen(load, wanted):
        file = here.get(delivery.path)
        found = None if file is None else look(load, file)
        if found is not None and found.content_hash == delivery.content_hash:
            jobs.append(Job(found=found, delivery=delivery))
            continue
        sentence = (
            f"{delivery.path}: does not lie in the landing with the content that was loaded "
            f"(version {delivery.path_version}), so it cannot be read again; put it back there, "
            "or deliver a corrected file and run."
        )
        if wanted is not None:
            raise ExtractError(sentence)
        missing.append(sentence)
    return jobs, missing


def _chosen(load: Load, wanted: set[str] | None) -> list[Delivery]:
    """Every delivery with rejects, or the newest version of each named path."""
    loaded = load.deliveries()
    if wanted is None:
        return [delivery for delivery in loaded if delivery.rows_rejected]
    newest = {delivery.path: delivery for delivery in loaded}
    return [delivery for path, delivery in newest.items() if path in wanted]


def _accepted_now(
    load: Load, deliveries: Sequence[Delivery], here: dict[str, LandedFile], taken: int
) -> tuple[list[Job], list[Refusal]]:
    """The refused files that can be read now, as new deliveries, and those that still can't."""
    looks = [look(load, here[d.path]) for d in deliveries if d.path in here]
    found = [one for one in looks if one is not None]
    refused = [
        Refusal(found=one, reason=one.inspection.refusal)
        for one in found
        if one.inspection.refusal is not None
    ]
    sound = [one for one in found if one.inspection.refusal is None]
    jobs = [
        replace(job, delivery=replace(job.delivery, delivery_id=job.delivery.delivery_id + taken))
        for job in new_jobs(load, sound)
    ]
    staged, turned_down = stage_all(load, jobs)
    return staged, [*refused, *turned_down]


def _log(plans: Sequence[_Plan]) -> list[Reloaded]:
    """Writes what was read again into landing.reloads."""
    done: list[Reloaded] = []
    for plan in plans:
        load = plan.change.load
        now = {delivery.delivery_id: delivery for delivery in load.deliveries()}
        refused = {d.path: d for d in plan.before.values() if d.state == "refused"}
        for number, reason in sorted(plan.reasons.items()):
            after = now[number]
            before = plan.before.get(number) or refused[after.path]
            done.append(Reloaded(before=before, after=after, reason=reason))
        rows = [_row(load, one) for one in done if one.after.delivery_id in plan.reasons]
        insert_many(load.connection, "reloads", rows)
    return done


def _row(load: Load, one: Reloaded) -> tuple[object, ...]:
    before, after = one.before, one.after
    return (
        load.run_id,
        load.loaded_at,
        after.delivery_id,
        after.source,
        after.table_name,
        after.path,
        after.content_hash,
        one.reason,
        load.plan.profile,
        before.rows_read,
        before.rows_loaded,
        before.rows_rejected,
        after.rows_read,
        after.rows_loaded,
        after.rows_rejected,
    )
