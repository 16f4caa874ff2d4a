"""Remembers when each delivery first arrived, outside the build, so that a rebuild keeps it.

JSON Lines, one line per table, path, content and version of the path. Written after a commit, as
a whole and atomically; what a kill left out is added from the manifest on the next run.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Self

from assets.extracts.deliveries import UTC, Arrival, Delivery, delivered_at
from assets.extracts.errors import ExtractError

FILE = "deliveries.jsonl"


@dataclass(frozen=True, kw_only=True, order=True)
class Arrived:
    """One remembered delivery."""

    table: str
    path: str
    version: int
    content_hash: str
    dt: date | None
    first_as_of: datetime
    known_at: datetime | None

    @property
    def key(self) -> tuple[str, str, int, str]:
        """What tells it from all others."""
        return self.table, self.path, self.version, self.content_hash

    def arrival(self, time_zone: str) -> Arrival:
        """When it came."""
        at = delivered_at(self.dt, self.first_as_of, time_zone)
        return Arrival(dt=self.dt, first_as_of=self.first_as_of, delivered_at=at)

    def line(self) -> str:
        """As it stands in the file."""
        said = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return json.dumps(said, default=_as_text, ensure_ascii=False)

    @classmethod
    def of_line(cls, line: str) -> Self:
        """Reads what `line` wrote."""
        said = json.loads(line)
        day, known = said["dt"], said["known_at"]
        return cls(
            **said
            | {
                "dt": None if day is None else date.fromisoformat(day),
                "first_as_of": datetime.fromisoformat(said["first_as_of"]),
                "known_at": None if known is None else datetime.fromisoformat(known),
            }
        )


class KnownLog:
    """The file, read once; `remember` rewrites it where something is new."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE
        self._known = {arrived.key: arrived for arrived in _read(self._file)}

    @classmethod
    def beside(cls, landing: Path, *, otherwise: Path) -> Self:
        """The log in the landing's own `.csw/`, or in another folder if that can't be written."""
        own = landing / ".csw"
        if not landing.stat().st_mode & 0o222:
            # Nobody is meant to write there, and root could all the same.
            return cls(otherwise)
        try:
            own.mkdir(exist_ok=True)
            probe = own / ".writable"
            probe.touch()
            probe.unlink()
        except OSError:
            return cls(otherwise)
        return cls(own)

    def of_table(self, table: str) -> tuple[Arrived, ...]:
        """What is remembered of one table, in order of path and version."""
        return tuple(sorted(known for known in self._known.values() if known.table == table))

    def newest(self, table: str, path: str, content_hash: str) -> Arrived | None:
        """The newest version of a path that had this content."""
        same = [k for k in self.of_table(table) if (k.path, k.content_hash) == (path, content_hash)]
        return max(same, key=lambda known: known.version, default=None)

    def remember(self, deliveries: Iterable[Delivery]) -> None:
        """Writes what is not in the file yet, or is known from another instant than it says."""
        new = {arrived.key: arrived for arrived in map(_arrived, deliveries)}
        if all(self._known.get(key) == arrived for key, arrived in new.items()):
            return
        # Another build of the same landing may have written since this one read.
        self._known |= {arrived.key: arrived for arrived in _read(self._file)} | new
        self._file.parent.mkdir(parents=True, exist_ok=True)
        draft = self._file.with_suffix(".draft")
        lines = (self._known[key].line() + "\n" for key in sorted(self._known))
        draft.write_text("".join(lines), encoding="utf-8")
        draft.replace(self._file)


def _arrived(delivery: Delivery) -> Arrived:
    return Arrived(
        table=f"{delivery.source}.{delivery.table_name}",
        path=delivery.path,
        version=delivery.path_version,
        content_hash=delivery.content_hash,
        dt=delivery.dt,
        first_as_of=delivery.first_as_of.astimezone(UTC),
        known_at=None if delivery.known_at is None else delivery.known_at.astimezone(UTC),
    )


def _read(file: Path) -> list[Arrived]:
    if not file.is_file():
        return []
    found = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            found.append(Arrived.of_line(line))
        except (ValueError, KeyError, TypeError) as error:
            raise ExtractError(
                f"{file}, line {number}: is not what the loader wrote there; "
                "restore the file, or delete that line to have the delivery count as new."
            ) from error
    return found


def _as_text(value: object) -> str:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    raise TypeError(value)
