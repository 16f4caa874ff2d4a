"""Remembers when each delivery first arrived, outside the build, so that a rebuild keeps it.

JSON Lines, one line per table, path, content and version of the path. Written after a commit, as
a whole and atomically; what a kill left out is added from the manifest on the next run.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Self

from assets.extracts.deliveries import UTC, Arrival, Delivery, delivered_at
from assets.extracts.errors import ExtractError
from assets.extracts.landing import Landing
from assets.extracts.stores import Folder, Store

FILE = "deliveries.jsonl"
BESIDE = f".csw/{FILE}"


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
    """The log, read once; `remember` rewrites it where something is new.

    Args:
        places: Stores with the path of the log in each; all are read, and the first that may be
            written to is written. None at all: nothing is remembered or written.
    """

    def __init__(self, places: Sequence[tuple[Store, str]] = ()) -> None:
        self._places = tuple(places)
        self._known: dict[tuple[str, str, int, str], Arrived] = {}
        self._by_table: dict[str, dict[str, list[Arrived]]] = {}
        self._take(self._read())

    @classmethod
    def beside(cls, landing: Landing, *, otherwise: Path) -> Self:
        """The log in the landing's own `.csw/`, or in another folder if that can't be written."""
        return cls([(landing.store, BESIDE), (Folder(otherwise), FILE)])

    def of_table(self, table: str) -> tuple[Arrived, ...]:
        """What is remembered of one table, in order of path and version."""
        paths = self._by_table.get(table, {})
        return tuple(known for path in sorted(paths) for known in paths[path])

    def of_path(self, table: str, path: str) -> tuple[Arrived, ...]:
        """The versions of one path, in their order."""
        return tuple(self._by_table.get(table, {}).get(path, ()))

    def newest(self, table: str, path: str, content_hash: str) -> Arrived | None:
        """The newest version of a path that had this content."""
        same = [k for k in self.of_path(table, path) if k.content_hash == content_hash]
        return max(same, key=lambda known: known.version, default=None)

    def remember(self, deliveries: Iterable[Delivery]) -> None:
        """Writes what is not in the log yet, or is known from another instant than it says."""
        new = {arrived.key: arrived for arrived in map(_arrived, deliveries)}
        if all(self._known.get(key) == arrived for key, arrived in new.items()):
            return
        # Another build of the same landing may have written since this one read.
        self._take([*self._read(), *new.values()])
        lines = (self._known[key].line() + "\n" for key in sorted(self._known))
        data = "".join(lines).encode()
        # The first that takes it: a landing that is only lent, or a bucket that may only be read.
        any(store.write(path, data) for store, path in self._places)

    def _take(self, found: Iterable[Arrived]) -> None:
        self._known |= {arrived.key: arrived for arrived in found}
        self._by_table = defaultdict(lambda: defaultdict(list))
        for key in sorted(self._known):
            arrived = self._known[key]
            self._by_table[arrived.table][arrived.path].append(arrived)

    def _read(self) -> list[Arrived]:
        # The last one wins where two know the same: it is the one beside the landing.
        return [k for store, path in reversed(self._places) for k in _read(store, path)]


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


def _read(store: Store, path: str) -> list[Arrived]:
    data = store.read(path) or b""
    found = []
    # Not splitlines: a name may hold what Unicode takes for the end of a line.
    for number, line in enumerate(data.decode("utf-8").split("\n"), start=1):
        if not line:
            continue
        try:
            found.append(Arrived.of_line(line))
        except (ValueError, KeyError, TypeError) as error:
            raise ExtractError(
                f"{store.name}/{path}, line {number}: is not what the loader wrote there; "
                "restore the file, or delete that line to have the delivery count as new."
            ) from error
    return found


def _as_text(value: object) -> str:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    raise TypeError(value)
