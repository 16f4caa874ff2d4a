"""The as-of instant of a run: given by its partition or its tag, never by a clock."""

from collections.abc import Callable, Mapping
from datetime import MAXYEAR, MINYEAR, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

AS_OF_TAG = "csw/as_of"


def parse_as_of(text: str, zone: ZoneInfo) -> datetime:
    """Read an as-of: a date is the first instant of that local day; an instant may lie inside one.

    Raises:
        ValueError: If the text is neither.
    """
    try:
        if len(text) == len("2025-01-01"):
            instant = first_instant(date.fromisoformat(text), zone)
        else:
            instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    # The first and the last year have days without a day before or after them.
    if instant is None or not MINYEAR < instant.year < MAXYEAR:
        raise ValueError(
            f"{text!r} is no as-of: give a date (2025-01-01) or an instant (2025-01-01T08:00+00:00)"
        )
    return instant if instant.tzinfo else instant.replace(tzinfo=zone)


def first_instant(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a local day."""
    return datetime.combine(day, time.min, tzinfo=zone)


def as_of_day(as_of: datetime, zone: ZoneInfo) -> date:
    """The local day of the as-of instant; the last full day is the one before it."""
    return as_of.astimezone(zone).date()


def last_full_day(as_of: datetime, zone: ZoneInfo) -> date:
    """The last day that had ended at the as-of instant."""
    return as_of_day(as_of, zone) - timedelta(days=1)


def as_of_run(
    tags: Mapping[str, str], window_end: Callable[[], datetime], zone: ZoneInfo
) -> datetime:
    """A run's as-of: its tag where it has one, else the end of its (range of) daily partitions."""
    tagged = tags.get(AS_OF_TAG)
    return parse_as_of(tagged, zone) if tagged else window_end()
