"""Which release readers get after somebody went back, and which ones make room."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from assets.releases import folders
from assets.releases.keeping import (
    ReleaseChoiceError,
    ReleaseSummary,
    find_release,
    find_superfluous,
    go_back,
    read_summaries,
)
from assets.releases.publishing import heal
from tests.unit.releases.small_build import (
    FIVE,
    FOUR,
    ONE,
    THREE,
    TWO,
    open_build,
    read,
    run,
)


def current(folder: Path) -> str:
    return (folder / "releases" / "current").readlink().name


def summary(sequence: int, last_day: date, *, current: bool = False) -> ReleaseSummary:
    as_of = datetime(last_day.year, last_day.month, last_day.day, tzinfo=UTC) + timedelta(days=1)
    return ReleaseSummary(
        release_id=f"{sequence:06d}-{as_of.date()}",
        sequence=sequence,
        as_of=as_of,
        last_day=last_day,
        is_current=current,
        is_withdrawn=False,
        bytes=10,
        manifest={},
    )


def test_going_back_lasts_until_another_release(tmp_path: Path) -> None:
    """A run that begins by giving readers the numbers that somebody has just taken back."""
    run(tmp_path, TWO, {ONE: 10})
    run(tmp_path, THREE, {ONE: 10, TWO: 99})
    assert go_back(tmp_path / "releases", None) == ("000001-2025-01-02", ["000002-2025-01-03"])
    with open_build(tmp_path) as build:
        assert heal(build, tmp_path / "releases") == []
    assert current(tmp_path) == "000001-2025-01-02"
    assert read(tmp_path, "select mrr from accounts.account_metrics_daily") == [(10,)]
    done = run(tmp_path, THREE, {ONE: 10, TWO: 20})
    assert (done.is_current, current(tmp_path)) == (True, "000003-2025-01-03")


def test_a_withdrawn_release_can_be_returned_to(tmp_path: Path) -> None:
    """A step back that was a mistake, and no way forward but a run."""
    for day in (TWO, THREE, FOUR):
        run(tmp_path, day, {})
    releases = tmp_path / "releases"
    assert go_back(releases, "1")[1] == ["000002-2025-01-03", "000003-2025-01-04"]
    assert go_back(releases, "000002-2025-01-03") == ("000002-2025-01-03", ["000003-2025-01-04"])
    assert [each.is_withdrawn for each in read_summaries(releases)] == [False, False, True]
    assert go_back(releases, "3") == ("000003-2025-01-04", [])
    assert not any(each.is_withdrawn for each in read_summaries(releases))
    with open_build(tmp_path) as build:
        assert heal(build, releases) == []


def test_one_step_back_leaves_out_back_fills_and_what_was_withdrawn(tmp_path: Path) -> None:
    """Readers who are given a month that somebody ran again, or the release they complained of."""
    for day in (TWO, THREE, FOUR, ONE, FIVE):
        run(tmp_path, day, {})
    releases = tmp_path / "releases"
    assert go_back(releases, None)[0] == "000003-2025-01-04"
    assert go_back(releases, None)[0] == "000002-2025-01-03"
    # A back-fill of an older day tells of another time; it is not what came after.
    assert not folders.is_withdrawn(releases, "000004-2025-01-01")


def test_whoever_asks_for_no_release_is_told_which_there_are(tmp_path: Path) -> None:
    """A traceback, or a release that nobody asked for."""
    with pytest.raises(ReleaseChoiceError, match=r"There is no release yet: csw run makes one\."):
        go_back(tmp_path / "releases", None)
    run(tmp_path, TWO, {})
    with pytest.raises(ReleaseChoiceError, match="no release before 000001-2025-01-02"):
        go_back(tmp_path / "releases", None)
    with pytest.raises(ReleaseChoiceError, match=r"no release 7; the latest are 000001-2025-01-02"):
        find_release(read_summaries(tmp_path / "releases"), "7")


def test_the_last_ones_and_the_last_of_each_month_stay() -> None:
    """A disk that fills up, or a year of which nothing is left."""
    days = [date(2025, 1, 30) + timedelta(days=n) for n in range(40)]
    found = [summary(n + 1, day, current=n == 39) for n, day in enumerate(days)]
    gone = find_superfluous(found, keep=3, evaluated=40)
    kept = [each.last_day for each in found if each not in gone]
    assert kept == [date(2025, 1, 31), date(2025, 2, 28), *days[-3:]]


def test_what_is_current_newest_or_not_evaluated_stays() -> None:
    """Readers without a release; alerts of a day that nobody hears of."""
    days = [date(2025, 1, 10) + timedelta(days=n) for n in range(8)]
    found = [summary(n + 1, day, current=n == 1) for n, day in enumerate(days)]
    gone = find_superfluous(found, keep=1, evaluated=5)
    assert [each.sequence for each in found if each not in gone] == [2, 6, 7, 8]


def test_a_release_is_removed_whole_or_not_at_all(tmp_path: Path) -> None:
    """Half a release that a reader opens after a kill."""
    for day in (TWO, THREE):
        run(tmp_path, day, {})
    releases = tmp_path / "releases"
    folders.remove(releases, "000001-2025-01-02")
    assert folders.list_releases(releases) == ["000002-2025-01-03"]
    (releases / "000002-2025-01-03").rename(releases / ".removing-000002-2025-01-03")
    assert folders.remove_unfinished(releases) == [".removing-000002-2025-01-03"]
    assert folders.list_releases(releases) == []
