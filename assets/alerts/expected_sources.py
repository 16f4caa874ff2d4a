"""By what time of day a source is expected, and which of them the clock finds missing.

`seeds/expected_sources.csv` says when; whether it has come is asked of the landing, not of the last
run: a source that lands after the run has landed.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from assets.clock import first_instant
from assets.extracts.contracts import load_contracts
from assets.extracts.landing import LandedFile, Landing, find_files
from assets.extracts.profiles import Profile
from assets.seed_files import Located, Problem, SeedRow, read_rows, repeated

FILE = "expected_sources.csv"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class ExpectedSource(SeedRow):
    """When a source's newest data are expected in the landing, in the reporting time zone."""

    source: Literal["crm", "events", "invoices", "tickets"]
    expected_by: Annotated[str, Field(min_length=1)]
    on_days: str | None = None

    @field_validator("expected_by")
    @classmethod
    def _is_a_time(cls, text: str) -> str:
        if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text):
            raise ValueError(f"'{text}' is no time of day; allowed is HH:MM, such as 06:30")
        return text

    @field_validator("on_days")
    @classmethod
    def _are_days(cls, text: str | None) -> str | None:
        unknown = [day for day in (text or "mon").split("|") if day.strip() not in DAYS]
        if unknown:
            raise ValueError(f"'{unknown[0]}' is no day; allowed are {', '.join(DAYS)}")
        return text

    @property
    def weekdays(self) -> frozenset[int]:
        """The days on which it comes, Monday is 0; every day where none is named."""
        named = [day.strip() for day in self.on_days.split("|")] if self.on_days else DAYS
        return frozenset(DAYS.index(day) for day in named)

    def due(self, now: datetime, zone: ZoneInfo) -> tuple[date, date]:
        """The last day on which it was due, and the day on which it was due before that."""
        today = now.astimezone(zone).date()
        days = (today - timedelta(days=back) for back in range(15))
        due = [day for day in days if day.weekday() in self.weekdays and self._at(day, zone) <= now]
        return due[0], due[1]

    def _at(self, day: date, zone: ZoneInfo) -> datetime:
        return datetime.combine(day, time.fromisoformat(self.expected_by), tzinfo=zone)


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """How far a source has come.

    Attributes:
        newest_day: Its newest `dt=`.
        written_at: When its newest file without one came.
        is_timeless: Whether such a file lies in a store that tells no time.
    """

    newest_day: date | None
    written_at: datetime | None
    is_timeless: bool = False


@dataclass(frozen=True, kw_only=True)
class LateSource:
    """A source that should have come and has not."""

    source: str
    sentence: str


def read_expected(seeds: Path, problems: list[Problem]) -> list[Located[ExpectedSource]]:
    """The seed's rows; a bad row becomes a problem and stops no other."""
    return list(read_rows(seeds / FILE, ExpectedSource, problems))


def find_expected_problems(seeds: Path) -> list[Problem]:
    """Everything that is wrong in the seed."""
    problems: list[Problem] = []
    rows = read_expected(seeds, problems)
    return problems + repeated(seeds / FILE, "source", rows)


def arrivals(landing: Landing, profile: Profile, sources: Iterable[str]) -> dict[str, Arrived]:
    """How far each source has come, from the names and times of what lies in the landing."""
    return {source: _arrived(_files(landing, profile, source)) for source in sources}


def late_sources(
    expected: Iterable[ExpectedSource],
    arrived: Mapping[str, Arrived],
    *,
    now: datetime,
    zone: ZoneInfo,
) -> Iterator[LateSource]:
    """The sources that were due, and of which nothing has come since the time before."""
    for row in expected:
        on, before = row.due(now, zone)
        if not _has_come(arrived[row.source], on, before, zone):
            yield LateSource(
                source=row.source,
                sentence=f"{row.source} was expected by {row.expected_by} on {on} and is not in "
                f"the landing: {_newest(arrived[row.source])}.",
            )


def _has_come(arrived: Arrived, on: date, before: date, zone: ZoneInfo) -> bool:
    """What is due on a day tells of the days since the time before, or was written since then."""
    if arrived.newest_day is not None and arrived.newest_day >= before:
        return True
    if arrived.newest_day is None and arrived.is_timeless:
        return True  # nothing says that it has not
    return arrived.written_at is not None and arrived.written_at >= first_instant(on, zone)


def _newest(arrived: Arrived) -> str:
    if arrived.newest_day is not None:
        return f"its newest day is {arrived.newest_day}"
    if arrived.written_at is not None:
        return f"its newest file came at {arrived.written_at:%Y-%m-%d %H:%M} UTC"
    return "nothing of it ever came"


def _files(landing: Landing, profile: Profile, source: str) -> list[LandedFile]:
    plans = [profile.table(each) for each in load_contracts().values() if each.source == source]
    patterns = [pattern for plan in plans if plan is not None for pattern in plan.files]
    return list(find_files(landing, patterns)) if patterns else []


def _arrived(files: Iterable[LandedFile]) -> Arrived:
    listed = [file for file in files if file.refusal is None]
    days = [file.dt for file in listed if file.dt is not None]
    written = [file.written_ns for file in listed if file.dt is None]
    newest = max(written, default=0)
    return Arrived(
        newest_day=max(days, default=None),
        written_at=datetime.fromtimestamp(newest / 1e9, UTC) if newest else None,
        is_timeless=0 in written,
    )
