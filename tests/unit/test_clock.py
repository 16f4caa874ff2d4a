"""The as-of instant: what a person may write, and what a run was given."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from assets.clock import AS_OF_TAG, as_of_day, as_of_run, first_instant, last_full_day, parse_as_of

BERLIN = ZoneInfo("Europe/Berlin")
UTC_ZONE = ZoneInfo("UTC")


def test_a_date_is_the_first_instant_of_that_local_day() -> None:
    """Midnight of another time zone: a day's last hours would count for the next day."""
    assert parse_as_of("2025-07-01", BERLIN) == datetime(2025, 6, 30, 22, tzinfo=UTC)
    assert parse_as_of("2025-01-01", UTC_ZONE) == datetime(2025, 1, 1, tzinfo=UTC)


def test_an_instant_may_lie_inside_a_day() -> None:
    """An intraday run that is cut off at midnight."""
    assert parse_as_of("2025-01-01T08:00+02:00", BERLIN) == datetime(2025, 1, 1, 6, tzinfo=UTC)


def test_an_instant_without_a_zone_is_local() -> None:
    """Eight o'clock on somebody's wall taken for eight o'clock in Greenwich."""
    assert parse_as_of("2025-01-01T08:00", BERLIN) == datetime(2025, 1, 1, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "today", "2025-02-29", "2025-1-1", "1.1.2025", "0001-01-01", "9999-12-31"]
)
def test_anything_else_is_refused(text: str) -> None:
    """A run for a day that nobody meant; days before the first or after the last."""
    with pytest.raises(ValueError, match=r"is no as-of: give a date \(2025-01-01\) or an instant"):
        parse_as_of(text, UTC_ZONE)


def test_the_last_full_day_ends_at_or_before_the_as_of_instant() -> None:
    """A day counted as full while it goes on, or a full one left out at midnight."""
    assert last_full_day(datetime(2025, 1, 1, tzinfo=UTC), UTC_ZONE) == date(2024, 12, 31)
    assert last_full_day(datetime(2025, 1, 1, 23, 59, tzinfo=UTC), UTC_ZONE) == date(2024, 12, 31)
    late = datetime(2025, 1, 1, 23, 30, tzinfo=UTC)
    assert (as_of_day(late, BERLIN), last_full_day(late, BERLIN)) == (
        date(2025, 1, 2),
        date(2025, 1, 1),
    )


def test_a_day_begins_where_the_clocks_say() -> None:
    """A fixed offset: where the clocks change, midnight is not 24 hours after the last."""
    before, after = (first_instant(date(2025, 3, day), BERLIN) for day in (30, 31))
    assert (after.astimezone(UTC) - before.astimezone(UTC)).total_seconds() == 23 * 3600


def test_a_tag_is_asked_before_the_partition() -> None:
    """An as-of inside a day that its partition rounds to the day's end."""
    end = datetime(2025, 1, 2, tzinfo=UTC)
    tags = {AS_OF_TAG: "2025-01-01T08:00:00+00:00"}
    assert as_of_run(tags, lambda: end, UTC_ZONE) == datetime(2025, 1, 1, 8, tzinfo=UTC)
    assert as_of_run({}, lambda: end, UTC_ZONE) == end
