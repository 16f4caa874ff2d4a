"""What is new in a landing: which files become which deliveries, in which order."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from assets.extracts.deliveries import Delivery, delivered_at, load_order, next_delivery_id
from assets.extracts.landing import LandedFile
from assets.extracts.loads import Found, Job, Load


def new_jobs(load: Load, sound: Sequence[Found]) -> list[Job]:
    """The files whose content is not what was last loaded of their path, in their order."""
    newest = load.newest()
    jobs = []
    for found in sound:
        last = newest.get(found.file.path)
        if last is None or last.content_hash != found.content_hash:
            jobs.append(Job(found=found, delivery=new_delivery(load, found, last)))
    jobs.sort(key=lambda job: job.delivery.load_order)
    first = next_delivery_id(load.connection)
    return [
        replace(job, delivery=replace(job.delivery, delivery_id=first + n))
        for n, job in enumerate(jobs)
    ]


def new_delivery(load: Load, found: Found, last: Delivery | None) -> Delivery:
    """The delivery of a new content: as the log remembers it, else first seen by this run."""
    path, content_hash = found.file.path, found.content_hash
    version = 0 if last is None else last.path_version
    table = load.contract.name
    remembered = load.known.newest(table, path, content_hash)
    if remembered is not None and remembered.version > version:
        version, first_as_of = remembered.version, remembered.first_as_of
    else:
        versions = [k.version for k in load.known.of_path(table, path)]
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


def in_groups(load: Load, waiting: Sequence[LandedFile]) -> Iterator[list[LandedFile]]:
    """Files in groups of about so many bytes, in the order in which they will count.

    In an append table a changed file takes rows back, and others get them: all files of paths
    that were there before come together, in the first group.
    """
    there = set() if load.contract.is_entity else {d.path for d in load.ever_loaded()}
    again = [file for file in waiting if file.path in there]
    if again:
        yield again
    group: list[LandedFile] = []
    for file in sorted(waiting, key=lambda file: _expected_order(load, file)):
        if file.path not in there:
            group.append(file)
            if sum(other.size for other in group) >= load.batch_bytes:
                yield group
                group = []
    if group:
        yield group


def _expected_order(load: Load, file: LandedFile) -> str:
    """Where a file will count, going by its name alone: a known path as what it last was."""
    versions = load.known.of_path(load.contract.name, file.path)
    first_as_of = versions[-1].first_as_of if versions else load.as_of
    return load_order(delivered_at(file.dt, first_as_of, load.time_zone), file.path, len(versions))
