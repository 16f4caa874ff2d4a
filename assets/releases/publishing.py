"""Publish a release: copy audited marts, describe them in a manifest, flip `current` to them."""

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from assets.releases import folders, history, meta, tables
from assets.sql_text import literal
from assets.transactions import transaction
from assets.warehouse.standing import does_stand, remember_made

STORAGE_VERSION = "v1.0.0"  # what the oldest reader that we support opens: BI drivers lag behind


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """One check's result, as a release's manifest and `meta.checks` hold it.

    Attributes:
        check: Its name.
        asset: Address of what it judged, `schema/table`.
        severity: `block` or `warn`.
        passed: Whether it passed.
        summary: What it said, in a sentence.
    """

    check: str
    asset: str
    severity: str
    passed: bool
    summary: str


@dataclass(frozen=True, kw_only=True)
class ReleaseRequest:
    """What a release is made of, apart from the marts themselves."""

    as_of: datetime
    as_of_day: str
    time_zone: str
    published_at: datetime
    code_version: str
    configuration_version: str
    checks: Sequence[CheckResult]
    engines: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class PublishedRelease:
    """A release that readers can open.

    Attributes:
        release_id: Name of its folder.
        folder: The folder.
        manifest: Its manifest.
        is_current: Whether `current` points at it; it does not move to an older as-of.
        shown_rows: Rows appended to what is kept for ever, per table.
    """

    release_id: str
    folder: Path
    manifest: dict[str, Any]
    is_current: bool
    shown_rows: dict[str, int]


class UnauditedReleaseError(Exception):
    """A blocking check is red: there is no release without a green audit."""


def heal(connection: duckdb.DuckDBPyConnection, releases: Path) -> list[str]:
    """Finish or undo what a killed run left, before anything is built on it.

    A release that was recorded is revealed and flipped to; what was built without a record is
    removed: nobody saw it. A build that was made anew takes over what the current release shows.
    Returns a sentence for each.
    """
    history.prepare_history(connection)
    said = []
    recorded = history.read_releases(connection)
    if recorded:
        last = recorded[-1]
        if folders.reveal(releases, last.release_id):
            said.append(f"revealed {last.release_id}, which was recorded before a kill")
        if _advance(releases, last.release_id, last.as_of):
            said.append(f"flipped to {last.release_id}, which was recorded before a kill")
    said += [f"removed the unfinished {name}" for name in folders.remove_unfinished(releases)]
    manifest = folders.read_manifest(releases)
    if manifest and history.is_empty(connection):
        days = history.restore_from_release(
            connection, releases / folders.CURRENT / folders.RELEASE_FILE
        )
        said.append(f"took over {days} shown days from release {manifest['id']}")
    return said


def publish(
    connection: duckdb.DuckDBPyConnection, releases: Path, request: ReleaseRequest
) -> PublishedRelease:
    """Copy the marts into a release of their own and flip to it.

    The connection is the build's. The order makes a kill at any point harmless: the folder is
    sealed under a hidden name, then what was shown and the release's record are committed
    together, then the folder gets its name and `current` flips to it. `heal` finishes what a kill
    after the record left.

    Raises:
        UnauditedReleaseError: If a blocking check is red; nothing was written.
    """
    red = [check for check in request.checks if not check.passed and check.severity == "block"]
    if red:
        names = ", ".join(f"{check.check} on {check.asset}" for check in red)
        raise UnauditedReleaseError(
            f"No release: {names} failed. The last release stays current; mend the data or the "
            "definition and run again."
        )
    sequence = _next_sequence(connection, releases)
    release_id = f"{sequence:06d}-{request.as_of_day}"
    record = history.ReleaseRecord(
        sequence=sequence,
        release_id=release_id,
        as_of=request.as_of,
        published_at=request.published_at,
        code_version=request.code_version,
        configuration_version=request.configuration_version,
        last_delivery_id=meta.read_last_delivery(connection),
    )
    folder = folders.building_folder(releases, release_id)
    file = folder / folders.RELEASE_FILE
    copies = _begin_with_last(connection, releases, file)
    has_begun = file.exists()
    try:
        manifest = _write_file(connection, file, request, record, copies)
    except duckdb.Error:
        if not has_begun:
            raise
        # The last release's file may be damaged: what is written anew rests on nothing.
        folder = folders.building_folder(releases, release_id)
        manifest = _write_file(connection, file, request, record, [])
    folders.seal(folder, manifest)
    shown_rows = history.append_shown(connection, record)
    folders.reveal(releases, release_id)
    remember_made(connection, _step_of(releases / release_id / folders.RELEASE_FILE))
    _advance(releases, release_id, request.as_of)
    current = folders.read_manifest(releases)
    return PublishedRelease(
        release_id=release_id,
        folder=releases / release_id,
        manifest=manifest,
        is_current=bool(current and current["id"] == release_id),
        shown_rows=shown_rows,
    )


def _begin_with_last(
    connection: duckdb.DuckDBPyConnection, releases: Path, path: Path
) -> list[tables.TableCopy]:
    """Start a release from the last one's file, where that saves writing most of it again.

    Returns its marts while every mart stands as that file has it, and nobody has written to it
    since; else none, and the file is there only for its long tables.
    """
    recorded = history.read_releases(connection)
    if not recorded:
        return []
    last = recorded[-1].release_id
    file, manifest = releases / last / folders.RELEASE_FILE, folders.read_manifest(releases, last)
    if not (manifest and file.is_file()):
        return []
    stands = does_stand(connection, _step_of(file))
    if stands or tables.has_long(connection):
        shutil.copyfile(file, path)
    if not stands:
        return []
    return [tables.TableCopy(name=name, **copy) for name, copy in manifest["tables"].items()]


def _step_of(file: Path) -> str:
    """A release's file as it was written, for the book of what stands."""
    status = file.stat()
    return f"release {file.parent.name} {status.st_size} {status.st_mtime_ns}"


def _write_file(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    request: ReleaseRequest,
    record: history.ReleaseRecord,
    copies: list[tables.TableCopy],
) -> dict[str, Any]:
    """Fill the file, of which copies of the marts may stand already; returns its manifest.

    What the last release's file holds besides is brought to what the build has.
    """
    connection.execute(
        f"attach {literal(str(path))} as release (storage_version '{STORAGE_VERSION}')"
    )
    try:
        names = [copy.name for copy in copies] or tables.list_marts(connection)
        if not copies:
            tables.copy_tables(connection, names)
        with transaction(connection):
            meta.write_meta(connection, request.checks, record)
        watermarks = meta.read_watermarks(connection)
        quarantined = meta.count_quarantined(connection)
        connection.execute("checkpoint release")
        copies = copies or [tables.measure_table(connection, name) for name in names]
    finally:
        connection.execute("detach release")
    return {
        "id": record.release_id,
        "sequence": record.sequence,
        "as_of": request.as_of.isoformat(),
        "time_zone": request.time_zone,
        "published_at": request.published_at.isoformat(),
        "code_version": request.code_version,
        "configuration_hash": request.configuration_version,
        "storage_version": STORAGE_VERSION,
        "engines": request.engines,
        "watermarks": watermarks,
        "tables": {
            copy.name: {"rows": copy.rows, "bytes": copy.bytes, "content_hash": copy.content_hash}
            for copy in copies
        },
        "checks": [asdict(check) for check in request.checks],
        "quarantine": quarantined,
    }


def _next_sequence(connection: duckdb.DuckDBPyConnection, releases: Path) -> int:
    visible = [folders.sequence_of(name) for name in folders.list_releases(releases)]
    recorded = [record.sequence for record in history.read_releases(connection)]
    return max([0, *visible, *recorded]) + 1


def _advance(releases: Path, release_id: str, as_of: datetime) -> bool:
    """Flip to a release unless it is withdrawn or `current` has a newer as-of (spec 60)."""
    current = folders.read_manifest(releases)
    if not (releases / release_id).is_dir() or (current and current["id"] == release_id):
        return False
    if folders.is_withdrawn(releases, release_id):
        return False
    if current and datetime.fromisoformat(current["as_of"]) > as_of:
        return False
    folders.flip(releases, release_id)
    return True
