"""Days, months and intervals of a reporting time zone, in plain Python.

Source: the project's spec 00 ("Time": adding months clamps and keeps the anchor day).
"""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta, tzinfo


def local_day(instant: datetime, zone: tzinfo) -> date:
    """The day that an instant falls on, in a time zone."""
    return instant.astimezone(zone).date()


def local_month(instant: datetime, zone: tzinfo) -> date:
    """The first day of the month that an instant falls in."""
    return local_day(instant, zone).replace(day=1)


def first_instant(day: date, zone: tzinfo = UTC) -> datetime:
    """Midnight at the start of a day, as an instant in UTC: all arithmetic is in real time."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def next_month(month: date) -> date:
    """The first day of the month after."""
    return shifted_month(month, 1)


def shifted_month(month: date, by: int) -> date:
    """The first day of the month so many months later; earlier where `by` is negative."""
    years, place = divmod(month.month - 1 + by, 12)
    return date(month.year + years, place + 1, 1)


def later_by(
    anchor: datetime, intervals: int, interval: str, interval_count: int, zone: tzinfo
) -> datetime:
    """`anchor` and that many billing intervals, by the clock on the wall of the time zone."""
    count = intervals * interval_count
    wall = anchor.astimezone(zone).replace(tzinfo=None)
    if interval in ("month", "year"):
        wall = _later_by_months(wall, count * (12 if interval == "year" else 1))
    else:
        wall += timedelta(days=count * (7 if interval == "week" else 1))
    return wall.replace(tzinfo=zone).astimezone(UTC)


def _later_by_months(wall: datetime, months: int) -> datetime:
    month = shifted_month(wall.date().replace(day=1), months)
    day = min(wall.day, monthrange(month.year, month.month)[1])
    return wall.replace(year=month.year, month=month.month, day=day)
