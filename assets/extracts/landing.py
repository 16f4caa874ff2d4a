"""Finds what landed: which files belong to a table, of which day they are, what can be read."""

import hashlib
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from assets.extracts.errors import ExtractError

READABLE = {".csv": "csv", ".csv.gz": "csv.gz", ".parquet": "parquet"}
DAY_FOLDER = re.compile(r"dt=(.*)")


@dataclass(frozen=True, kw_only=True)
class LandedFile:
    """One file of a table: where it lies, its path in the landing, its kind and its dt= day.

    `refusal` is set where name or folder alone already say that it can't be taken.
    """

    location: Path
    path: str
    kind: str
    dt: date | None = None
    refusal: str | None = None


def find_files(landing: Path, pattern: str) -> tuple[LandedFile, ...]:
    """The files of one table in order of their paths; none if its folder is not there.

    Names that begin with `.` or `_`, and whatever lies in folders named so, are left alone.

    Raises:
        ExtractError: the landing itself is not there.
    """
    if not landing.is_dir():
        raise ExtractError(
            f"The landing folder {landing} does not exist; create it, or name another one."
        )
    # `a/**` yields folders only before Python 3.13.
    glob = f"{pattern}/*" if pattern.endswith("**") else pattern
    found = {
        location.relative_to(landing).as_posix(): location
        for location in landing.glob(glob)
        if location.is_file()
    }
    return tuple(_landed(path, found[path]) for path in sorted(found) if not _is_hidden(path))


def newest_day(landing: Path) -> date | None:
    """The newest dt= day of any table of a canonical landing; None if there is none."""
    days = []
    for folder in landing.glob("*/*/**/dt=*"):
        try:
            days.append(_day(folder.name.removeprefix("dt=")))
        except ValueError:
            continue
    return max(days, default=None)


def fingerprint_of_names(landing: Path) -> str:
    """12 hex digits over the names, sizes and times of what lies in a landing; nothing is read."""
    digest = hashlib.sha256()
    for location in sorted(landing.rglob("*")):
        path = location.relative_to(landing).as_posix()
        if location.is_file() and not _is_hidden(path):
            found = location.stat()
            digest.update(f"{path}\0{found.st_size}\0{found.st_mtime_ns}\0".encode())
    return digest.hexdigest()[:12]


def _is_hidden(path: str) -> bool:
    return any(part.startswith((".", "_")) for part in path.split("/"))


def _landed(path: str, location: Path) -> LandedFile:
    kind = next((k for suffix, k in READABLE.items() if path.lower().endswith(suffix)), "")
    refusal = None
    if not kind:
        refusal = (
            f"{path}: a file of this name is not read; deliver .csv, .csv.gz or .parquet, "
            "or begin the name with _ to have it left alone."
        )
    days = [m[1] for part in path.split("/")[:-1] if (m := DAY_FOLDER.fullmatch(part))]
    try:
        day = _day(days[-1]) if days else None
    except ValueError:
        day = None
        refusal = f"{path}: dt={days[-1]} is no date; name the folder dt=YYYY-MM-DD."
    return LandedFile(location=location, path=path, kind=kind, dt=day, refusal=refusal)


def _day(text: str) -> date:
    if len(text) != len("2024-12-31"):
        raise ValueError(text)
    return date.fromisoformat(text)
