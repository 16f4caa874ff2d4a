"""The release folder: a directory per release, and `current`, a link that flips atomically."""

import json
import os
import shutil
from datetime import date, datetime
from pathlib import Path
from typing import Any

RELEASE_FILE = "csw.duckdb"
MANIFEST_FILE = "manifest.json"
CURRENT = "current"
_BUILDING = ".building-"
_REMOVING = ".removing-"
_WITHDRAWN = "withdrawn"


class ManifestError(Exception):
    """A release's manifest is damaged: which, and what to do."""


def building_folder(releases: Path, release_id: str) -> Path:
    """An empty folder in which a release is built before it has its name."""
    folder = releases / f"{_BUILDING}{release_id}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def seal(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest last and bring everything to disk: with it, the folder is whole."""
    manifest_file = folder / MANIFEST_FILE
    manifest_file.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", "utf-8")
    for path in (folder / RELEASE_FILE, manifest_file, folder):
        _sync(path)


def reveal(releases: Path, release_id: str) -> bool:
    """Give a sealed folder its name, so that readers can see it; False if there is none."""
    folder = releases / f"{_BUILDING}{release_id}"
    if not (folder / MANIFEST_FILE).is_file():
        return False
    folder.rename(releases / release_id)
    _sync(releases)
    return True


def flip(releases: Path, release_id: str) -> None:
    """Point `current` at a release in one atomic step; open readers keep theirs."""
    link = releases / f".{CURRENT}-{release_id}"
    link.unlink(missing_ok=True)
    link.symlink_to(release_id, target_is_directory=True)
    link.replace(releases / CURRENT)
    _sync(releases)


def read_manifest(releases: Path, release_id: str = CURRENT) -> dict[str, Any] | None:
    """A release's manifest, or None where there is no such release.

    Raises:
        ManifestError: If it is damaged.
    """
    path = releases / release_id / MANIFEST_FILE
    if not path.is_file():
        return None
    try:
        manifest: dict[str, Any] = json.loads(path.read_text("utf-8"))
        datetime.fromisoformat(manifest["as_of"])
    except (ValueError, KeyError, TypeError) as error:
        raise ManifestError(
            f"The manifest {release_id}/{MANIFEST_FILE} can't be read: {error}; "
            "publish the release again or delete its folder."
        ) from error
    return manifest


def withdraw(releases: Path, release_id: str) -> None:
    """Mark a release as one that `current` doesn't go to by itself."""
    (releases / release_id / _WITHDRAWN).touch()
    _sync(releases / release_id)


def reinstate(releases: Path, release_id: str) -> None:
    """Take the mark of `withdraw` away."""
    (releases / release_id / _WITHDRAWN).unlink(missing_ok=True)
    _sync(releases / release_id)


def is_withdrawn(releases: Path, release_id: str) -> bool:
    """Whether somebody went back from a release to one before it."""
    return (releases / release_id / _WITHDRAWN).is_file()


def remove(releases: Path, release_id: str) -> None:
    """Remove a release, whole for readers or not there; who has it open keeps it."""
    hidden = releases / f"{_REMOVING}{release_id}"
    (releases / release_id).rename(hidden)
    shutil.rmtree(hidden)


def current_as_of(releases: Path) -> datetime | None:
    """The as-of instant of the current release, or None before the first."""
    manifest = read_manifest(releases)
    return datetime.fromisoformat(manifest["as_of"]) if manifest else None


def newest_as_of_day(releases: Path) -> date | None:
    """The latest local day of an as-of that was released, withdrawn or not; None before any."""
    ids = list_releases(releases)
    return max((date.fromisoformat(each.split("-", 1)[1]) for each in ids), default=None)


def list_releases(releases: Path) -> list[str]:
    """Ids of all releases that readers can see, oldest first."""
    if not releases.is_dir():
        return []
    return sorted(
        entry.name
        for entry in releases.iterdir()
        if entry.is_dir() and not entry.is_symlink() and not entry.name.startswith(".")
    )


def sequence_of(release_id: str) -> int:
    """Place in the order of publication, which an id begins with."""
    return int(release_id.split("-", 1)[0])


def remove_unfinished(releases: Path) -> list[str]:
    """Remove what a killed process left half built or half removed; no reader sees it."""
    if not releases.is_dir():
        return []
    hidden = (_BUILDING, _REMOVING)
    left = [entry for entry in releases.iterdir() if entry.name.startswith(hidden)]
    for folder in left:
        shutil.rmtree(folder)
    return [folder.name for folder in left]


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
