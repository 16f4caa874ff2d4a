"""A source that is later than its time of day is told, once, until it lands."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from assets.alerts.expected_sources import (
    Arrived,
    ExpectedSource,
    arrivals,
    find_expected_problems,
    late_sources,
)
from assets.extracts.landing import open_landing
from assets.extracts.profiles import load_profile

PARIS = ZoneInfo("Europe/Paris")
# A Tuesday: 6:30 in Paris is 5:30 UTC.
TUESDAY = datetime(2025, 3, 4, 5, 30, tzinfo=UTC)
EVERY_DAY = ExpectedSource(source="events", expected_by="06:30")


def arrived(day: str | None = None, written_at: datetime | None = None) -> Arrived:
    return Arrived(newest_day=date.fromisoformat(day) if day else None, written_at=written_at)


def is_late(came: Arrived, now: datetime, row: ExpectedSource = EVERY_DAY) -> bool:
    return bool(list(late_sources([row], {"events": came}, now=now, zone=PARIS)))


def test_it_is_late_from_its_time_of_day_on_and_until_its_day_lands() -> None:
    """A source told as late a minute too early, an hour off in another zone, or for ever."""
    came = arrived("2025-03-02")
    assert not is_late(came, TUESDAY - timedelta(minutes=1))
    assert is_late(came, TUESDAY)
    assert is_late(arrived(), TUESDAY), "it never came"
    assert not is_late(arrived("2025-03-03"), TUESDAY)


def test_a_file_without_a_day_has_come_if_it_was_written_that_day() -> None:
    """Flat extracts that are late every morning, or never."""
    midnight = datetime(2025, 3, 3, 23, tzinfo=UTC)
    assert is_late(arrived(written_at=midnight - timedelta(seconds=1)), TUESDAY)
    assert not is_late(arrived(written_at=midnight), TUESDAY)


def test_a_source_of_working_days_is_not_missed_on_sundays() -> None:
    """An alarm every weekend; or Monday's delivery taken for on time because Friday's came."""
    working = EVERY_DAY.model_copy(update={"on_days": "mon|tue|wed|thu|fri"})
    came = arrived("2025-03-06")  # Thursday's day, delivered on Friday the 7th
    sunday, monday = TUESDAY + timedelta(days=5), TUESDAY + timedelta(days=6)
    assert is_late(came, sunday)
    assert not is_late(came, sunday, working)
    assert is_late(came, monday, working)
    assert not is_late(arrived("2025-03-07"), monday, working)


def test_the_landing_says_how_far_a_source_has_come(tmp_path: Path) -> None:
    """Another source's files, or a file that nobody reads, taken for it."""
    for path in (
        "events/events/dt=2025-03-01/e.csv",
        "events/users/dt=2025-03-02/u.csv",
        "crm/accounts/dt=2025-03-04/a.csv",
        "events/nobody/dt=2025-03-09/x.csv",
        "tickets/tickets/t.csv",
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("x")
    found = arrivals(open_landing(tmp_path), load_profile("canonical"), ["events", "tickets"])
    assert found["events"] == arrived("2025-03-02")
    assert found["tickets"].newest_day is None
    assert found["tickets"].written_at is not None


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("events,6:30,", "'6:30' is no time of day; allowed: HH:MM, such as 06:30."),
        ("events,06:30,mon|sonntag", "'sonntag' is no day; allowed: mon, tue, wed"),
        ("billing,06:30,", "'billing' is not right; allowed: 'crm', 'events'"),
        ("events,06:30,\nevents,07:30,", "'events' stands here more than once"),
    ],
)
def test_a_row_that_means_nothing_is_refused(tmp_path: Path, row: str, said: str) -> None:
    """A typo that switches the alarm off."""
    (tmp_path / "expected_sources.csv").write_text(f"source,expected_by,on_days\n{row}\n")
    (problem,) = find_expected_problems(tmp_path)
    assert said in str(problem)
