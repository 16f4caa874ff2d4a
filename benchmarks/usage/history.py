"""What one more day costs after 1, 6, 12 and 24 months: nobody comes or goes, only time passes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from assets.extracts.sampling.many import FIRST_DAY, write_many
from benchmarks.usage import ours
from benchmarks.usage.compare import MEASURES
from benchmarks.usage.runs import Step, run_module

# Whole weeks, so that the day after is a Monday each time and as busy.
HISTORIES = (28, 182, 364, 728)
ROLLUPS = tuple(f"int_{table}" for table in MEASURES)


@dataclass(frozen=True, kw_only=True)
class DayMore:
    """A day that was added to so many days of history; `models` are the seconds of each model."""

    history: int
    load: Step
    build: Step
    models: dict[str, float]

    @property
    def rollups(self) -> float:
        """Seconds of what reads events, and of what the rollups are."""
        names = ("int_events_", "int_usage_", "int_identifications", *ROLLUPS)
        return sum(value for name, value in self.models.items() if name.startswith(names))

    @property
    def others(self) -> float:
        """Seconds of the other models."""
        return sum(self.models.values()) - self.rollups

    @property
    def dbt(self) -> float:
        """Seconds of dbt itself: its start, its parsing, its way from model to model."""
        return self.build.seconds - sum(self.models.values())

    @property
    def seconds(self) -> float:
        """Loading and building."""
        return self.load.seconds + self.build.seconds


def days_more(folder: Path, *, events: int, days: int) -> Iterator[DayMore]:
    """Loads and builds up to each history, then times the day after it.

    Args:
        folder: an empty one.
        events: events of `days` days: they say how busy a day is.
        days: no history is longer than that.
    """
    waiting, landing, home = folder / "waiting", folder / "landing", folder / "home"
    write_many(waiting, events=events, days=days, more_days=1, steady=True)
    landing.mkdir()
    (waiting / "profile.yml").rename(landing / "profile.yml")
    for history in (known for known in HISTORIES if known <= days):
        _land(waiting, landing, before=history)
        _step(landing, home, history)
        ours.build(home, _as_of(history))
        ours.show(home, _as_of(history))
        _land(waiting, landing, before=history + 1)
        load = _step(landing, home, history + 1)
        build = ours.build(home, _as_of(history + 1))
        yield DayMore(history=history, load=load, build=build, models=ours.model_seconds(home))


def _step(landing: Path, home: Path, days: int) -> Step:
    said = (str(landing), str(home), _as_of(days).isoformat())
    return run_module("benchmarks.usage.ours", *said)


def _as_of(days: int) -> datetime:
    first = datetime.combine(FIRST_DAY, datetime.min.time(), UTC)
    return first + timedelta(days=days)


def _land(waiting: Path, landing: Path, *, before: int) -> None:
    """Moves the folders of the first days from where they wait."""
    end = (FIRST_DAY + timedelta(days=before)).isoformat()
    for folder in sorted(waiting.glob("*/*/dt=*")):
        if folder.name.removeprefix("dt=") < end:
            target = landing / folder.relative_to(waiting)
            target.parent.mkdir(parents=True, exist_ok=True)
            folder.rename(target)
