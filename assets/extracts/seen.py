"""Files that were read whole: what need not be read again to know that nothing is new.

A row is believed only if the file was last written to clearly before it was looked at (git's rule
for its index): a file changed within the clock's granularity would show the same times.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from assets.extracts.deliveries import Delivery
from assets.extracts.errors import RefusedFileError
from assets.extracts.inspection import Inspection, inspect
from assets.extracts.landing import LandedFile, find_files
from assets.extracts.landing_tables import insert_many
from assets.extracts.loads import Found, Load, Refusal
from assets.extracts.lookups import LookupFiles, with_lookups

# The coarsest times of a file system are those of FAT.
CLEARLY_NS = 2_000_000_000


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What is remembered of a file: its content, and why that is refused, judged by what."""

    size_bytes: int
    stamp: str
    content_hash: str
    refusal: str | None
    judged_by: str


def look(load: Load, file: LandedFile) -> Found | None:
    """Fetches a file and reads it once; None if it is gone since the landing was listed."""
    began = load.clock_ns()
    try:
        load.landing.store.fetch(file.entry)
        inspection = inspect(file)
    except FileNotFoundError:
        return None
    except RefusedFileError as error:
        inspection = Inspection(
            content_hash="", size_bytes=file.size, modified_ns=0, refusal=str(error)
        )
    made_of = with_lookups(inspection.content_hash, load.lookups)
    return Found(file=file, inspection=inspection, content_hash=made_of, looked_at_ns=began)


def judged_by(load: Load) -> str:
    """Hash of the contract, of the profile's part of it and of its lookups."""
    said = load.contract.model_dump_json() + load.plan.model_dump_json()
    said += with_lookups("", load.lookups)
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def read_seen(load: Load) -> dict[str, Seen]:
    """What is remembered of one table's files, by path."""
    rows = load.connection.execute(
        "select path, size_bytes, stamp, content_hash, refusal, judged_by from landing.files "
        "where source = ? and table_name = ?",
        [load.contract.source, load.contract.table],
    ).fetchall()
    names = ("size_bytes", "stamp", "content_hash", "refusal", "judged_by")
    return {row[0]: Seen(**dict(zip(names, row[1:], strict=True))) for row in rows}


def remembered(
    load: Load, files: Sequence[LandedFile], newest: Mapping[str, Delivery]
) -> tuple[dict[str, Found], list[Refusal]]:
    """The files that need not be read: those that are loaded, by path, and those still refused.

    Args:
        load: the circumstances.
        files: the table's files in the landing.
        newest: what was last loaded of each path.
    """
    there, judge = read_seen(load), judged_by(load)
    settled: dict[str, Found] = {}
    refused: list[Refusal] = []
    for file in files:
        seen = there.get(file.path)
        if seen is None or (seen.size_bytes, seen.stamp) != (file.size, file.stamp):
            continue
        found = _found(load, file, seen)
        if seen.refusal is not None and seen.judged_by == judge:
            refused.append(Refusal(found=found, reason=seen.refusal, is_lasting=True))
        elif seen.refusal is None and _is_loaded(newest.get(file.path), found):
            settled[file.path] = found
    return settled, refused


def _found(load: Load, file: LandedFile, seen: Seen) -> Found:
    inspection = Inspection(
        content_hash=seen.content_hash,
        size_bytes=file.size,
        modified_ns=0,
        refusal=seen.refusal,
    )
    made_of = with_lookups(seen.content_hash, load.lookups)
    return Found(file=file, inspection=inspection, content_hash=made_of)


def _is_loaded(last: Delivery | None, found: Found) -> bool:
    return last is not None and last.content_hash == found.content_hash


def find_lookups(load: Load) -> dict[str, LookupFiles]:
    """The files of the plan's lookups, with the hashes of their contents."""
    found = {}
    there = read_seen(load) if load.plan.lookups else {}
    for name, lookup in load.plan.lookups.items():
        files = find_files(load.landing, lookup.files)
        hashes = [_hash_of(load, file, there.get(file.path)) for file in files]
        found[name] = LookupFiles(lookup=lookup, files=files, hashes=hashes)
    return found


def _hash_of(load: Load, file: LandedFile, seen: Seen | None) -> str:
    if seen is not None and (seen.size_bytes, seen.stamp) == (file.size, file.stamp):
        return seen.content_hash
    found = look(load, file)
    load.landing.store.release(file.path)
    if found is None:
        return ""
    remember_files(load, [found])
    return found.inspection.content_hash


def remember_files(load: Load, found: Iterable[Found], refused: Iterable[Refusal] = ()) -> None:
    """Writes what was just looked at, and whether it is refused, where it may be believed."""
    sound = [(f, None) for f in found]
    judged = [*sound, *((r.found, r.reason) for r in refused if r.is_lasting)]
    source, table, judge = load.contract.source, load.contract.table, judged_by(load)
    rows = [
        (
            source,
            table,
            one.file.path,
            one.file.size,
            one.file.stamp,
            one.inspection.content_hash,
            reason,
            judge,
        )
        for one, reason in judged
        if one.file.written_ns + CLEARLY_NS < one.looked_at_ns
    ]
    forget_files(load, {one.file.path for one, _ in judged})
    insert_many(load.connection, "files", rows)


def forget_files(load: Load, paths: Iterable[str]) -> None:
    """Has these files read again the next time."""
    load.connection.execute(
        "delete from landing.files where source = ? and table_name = ? "
        "and path in (select unnest(?::varchar[]))",
        [load.contract.source, load.contract.table, sorted(paths)],
    )
