"""What is new in a landing: which files become which deliveries, in which order."""

from collections.abc import Sequence
from dataclasses import replace

from assets.extracts.deliveries import Delivery, delivered_at, next_delivery_id
from assets.extracts.loads import Found, Job, Load


def new_jobs(load: Load, sound: Sequence[Found]) -> list[Job]:
    """The files whose content is not what was last loaded of their path, in their order."""
    newest: dict[str, Delivery] = {}
    for delivery in sorted(load.ever_loaded(), key=lambda d: d.path_version):
        newest[delivery.path] = delivery
    jobs = []
    for found in sound:
        last = newest.get(found.file.path)
        if last is None or last.content_hash != found.inspection.content_hash:
            jobs.append(Job(found=found, delivery=new_delivery(load, found, last)))
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


def new_delivery(load: Load, found: Found, last: Delivery | None) -> Delivery:
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


def in_batches(jobs: Sequence[Job], limit: int) -> list[list[Job]]:
    """Jobs in groups of about so many bytes; all changed files come in the first."""
    batches: list[list[Job]] = []
    size = limit
    for job in jobs:
        is_first_change = bool(batches) and len(batches) == 1 and job.delivery.path_version > 1
        if size >= limit and not is_first_change:
            batches.append([])
            size = 0
        batches[-1].append(job)
        size += job.delivery.size_bytes
    return batches
