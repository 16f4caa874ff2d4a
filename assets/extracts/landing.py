"""Finds what landed: which files belong to a table, of which day they are, what can be read."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Literal

from assets.extracts.errors import RefusedFileError
from assets.extracts.profiles import Profile, ReadPlan, load_profile
from assets.extracts.stores import Entry, Store, open_store

Format = Literal["csv", "jsonl", "parquet", "other"]
Compression = Literal["none", "gzip", "zstd"]

FORMATS: dict[str, Format] = {
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
}
COMPRESSIONS: dict[str, Compression] = {".gz": "gzip", ".zst": "zstd"}
DAY_FOLDER = re.compile(r"dt=(.*)")
PROFILE = "profile.yml"


@dataclass(frozen=True, kw_only=True)
class Landing:
    """A landing and what lay in it when it was listed, in order of the paths."""

    store: Store
    entries: tuple[Entry, ...]

    @contextmanager
    def fetched(self, files: Sequence["LandedFile"]) -> Iterator[None]:
        """The files lie at their locations inside."""
        try:
            for file in files:
                _fetch(self.store, file)
            yield
        finally:
            for file in files:
                self.store.release(file.path)


@dataclass(frozen=True, kw_only=True)
class LandedFile:
    """One file of a table: where it lies, its path in the landing, its format and its dt= day.

    In a bucket it lies at `location` only while it is fetched. `refusal` is set where name or
    folder alone already say that it can't be taken.
    """

    location: Path
    path: str
    format: Format
    compression: Compression
    dt: date | None = None
    refusal: str | None = None
    size: int = 0
    stamp: str = ""
    written_ns: int = 0

    @property
    def entry(self) -> Entry:
        """As the listing shows it."""
        return Entry(path=self.path, size=self.size, stamp=self.stamp, written_ns=self.written_ns)


def _fetch(store: Store, file: LandedFile) -> None:
    try:
        store.fetch(file.entry)
    except FileNotFoundError as error:
        raise RefusedFileError(
            f"{file.path}: is gone since the landing was listed; deliver it again, and run again."
        ) from error


def open_landing(where: Path | str, *, spool: Path | None = None) -> Landing:
    """A landing folder, or a URL whose files are fetched into `spool` when they are read; listed.

    Raises:
        ExtractError: it is not there or cannot be reached.
    """
    store = open_store(where, spool)
    return Landing(store=store, entries=tuple(sorted(store.entries(), key=lambda e: e.path)))


def find_files(landing: Landing, patterns: str | Sequence[str]) -> tuple[LandedFile, ...]:
    """The files of one table in order of their paths; none if its folder is not there.

    Names that begin with `.` or `_`, and whatever lies in folders named so, are left alone.
    """
    said = [patterns] if isinstance(patterns, str) else patterns
    wanted = re.compile("|".join(_expression(pattern) for pattern in said))
    return tuple(_landed(landing, e) for e in landing.entries if wanted.fullmatch(e.path))


def profile_for(landing: Landing, named: str | None) -> Profile:
    """The profile of that name or path, else the landing's own `profile.yml`, else `canonical`.

    Raises:
        ConfigurationError: there is none, or it does not validate.
    """
    own = next((entry for entry in landing.entries if entry.path == PROFILE), None)
    if named is not None or own is None:
        return load_profile(named or "canonical")
    landing.store.fetch(own)
    try:
        return load_profile(landing.store.location(PROFILE))
    finally:
        landing.store.release(PROFILE)


def plan_of(plan: ReadPlan, path: str) -> ReadPlan:
    """How a file of a table is read: by the first of the plan's ways whose patterns fit."""
    return next(
        (w for w in plan.ways if any(re.fullmatch(_expression(p), path) for p in w.files)), plan
    )


def unclaimed(landing: Landing, patterns: Sequence[str]) -> tuple[str, ...]:
    """The paths of what lies in a landing and belongs to no table."""
    claimed = {file.path for file in find_files(landing, patterns)} | {PROFILE}
    return tuple(entry.path for entry in landing.entries if entry.path not in claimed)


def newest_day(landing: Landing) -> date | None:
    """The newest dt= day of any file; None if there is none."""
    days = []
    for entry in landing.entries:
        try:
            days.append(_day_of(entry.path))
        except ValueError:
            continue
    return max((day for day in days if day is not None), default=None)


def fingerprint_of_names(landing: Landing) -> str:
    """12 hex digits over the names, sizes and times of what lies in a landing; nothing is read."""
    digest = hashlib.sha256()
    for entry in landing.entries:
        digest.update(f"{entry.path}\0{entry.size}\0{entry.stamp}\0".encode())
    return digest.hexdigest()[:12]


def _expression(pattern: str) -> str:
    """A pattern as a regular expression: `*` and `?` stay in a folder, `**` is any folders."""
    parts = pattern.split("/")
    folders = "".join(
        "(?:[^/]+/)*" if part == "**" else f"{_one_name(part)}/" for part in parts[:-1]
    )
    return folders + ("(?:[^/]+/)*[^/]+" if parts[-1] == "**" else _one_name(parts[-1]))


def _one_name(part: str) -> str:
    signs = {"*": "[^/]*", "?": "[^/]"}
    return "".join(
        sign if sign.startswith("[") else signs.get(sign, re.escape(sign))
        for sign in re.findall(r"\[[^]]+\]|.", part)
    )


def _landed(landing: Landing, entry: Entry) -> LandedFile:
    path = entry.path
    kind, compression = format_of(path)
    day, refusal = None, None
    if kind == "other":
        refusal = (
            f"{path}: a file of this name is not read; deliver .csv or .jsonl (plain, .gz or .zst) "
            "or .parquet, or begin the name with _ to have it left alone."
        )
    try:
        day = _day_of(path)
    except ValueError as error:
        refusal = f"{path}: dt={error} is no date; name the folder dt=YYYY-MM-DD."
    return LandedFile(
        location=landing.store.location(path),
        path=path,
        format=kind,
        compression=compression,
        dt=day,
        refusal=refusal,
        size=entry.size,
        stamp=entry.stamp,
        written_ns=entry.written_ns,
    )


def format_of(path: str) -> tuple[Format, Compression]:
    """A file's format and compression by its name; Parquet compresses by itself."""
    name = PurePosixPath(path.lower())
    compression = COMPRESSIONS.get(name.suffix, "none")
    plain = name if compression == "none" else name.with_suffix("")
    kind = FORMATS.get(plain.suffix, "other")
    return ("other" if kind == "parquet" and compression != "none" else kind), compression


def _day_of(path: str) -> date | None:
    """The day of the innermost dt= folder; ValueError, with its text, where that is no date."""
    days = [m[1] for part in path.split("/")[:-1] if (m := DAY_FOLDER.fullmatch(part))]
    if not days:
        return None
    try:
        if len(days[-1]) == len("2024-12-31"):
            return date.fromisoformat(days[-1])
    except ValueError:
        pass
    raise ValueError(days[-1])
