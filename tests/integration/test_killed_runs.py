"""`kill -9` at every stage: what readers see meanwhile, and what the next run makes of it.

One warehouse is killed five times in a row, each run beginning on what the one before left.
"""

import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.main_job import (
    CSW,
    ONE,
    ROOT,
    FirstDay,
    Home,
    Ran,
    as_of,
    clean_environment,
    land_through,
)

AS_OF = as_of(ONE)
DRIVER = Path(__file__).with_name("killed_run.py")
KILLED = -9
SOME_MODELS = 50_000  # bytes of dbt's writes that the build's log holds


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a reader finds after a kill: all releases, and the one that `current` opens."""

    names: list[str]
    opened: str | None


@dataclass(frozen=True, kw_only=True)
class Story:
    """The kills, what readers saw after each of them, and the run that nobody killed."""

    home: Home
    codes: dict[str, int]
    seen: dict[str, Seen]
    last: Ran


@pytest.fixture(scope="module")
def clean(first_day: FirstDay) -> Home:
    """The same extracts, in a warehouse where nothing was ever killed."""
    return first_day.as_it_was


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("killed")
    home = Home(path=folder / "home", landing=folder / "landing")
    land_through(home.landing, ONE)
    home.take_parsed()
    codes, seen = {}, {}
    for point in ("loading", "dbt", "seal", "record", "reveal"):
        codes[point] = killed_in_dbt(home) if point == "dbt" else killed_at(point, home)
        seen[point] = look(home)
    return Story(home=home, codes=codes, seen=seen, last=home.run(AS_OF))


def killed_at(point: str, home: Home) -> int:
    """Runs until a point that the process itself knows."""
    return start([sys.executable, str(DRIVER), point, *home.arguments(AS_OF)]).wait()


def killed_in_dbt(home: Home) -> int:
    """Kills a run from outside once dbt has written some models into the build."""
    written = home.path / "build.duckdb.wal"
    process = start([str(CSW), *home.arguments(AS_OF)])
    for line in process.stdout or ():
        if "dbt builds" in line:
            break
    while process.poll() is None:
        if written.exists() and written.stat().st_size > SOME_MODELS:
            process.kill()
        try:
            process.wait(timeout=0.01)
        except subprocess.TimeoutExpired:
            continue
    return process.returncode


def start(command: Sequence[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603 - our own command and arguments
        command,
        cwd=ROOT,
        env=clean_environment({"PYTHONPATH": str(ROOT)}),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def look(home: Home) -> Seen:
    names = [name for name in home.names() if not name.startswith(".")]
    if not (home.releases / "current").exists():
        return Seen(names=names, opened=None)
    (last,) = home.rows("select max(release_id) from meta.releases")
    assert last == (home.manifest()["id"],)
    return Seen(names=names, opened=home.manifest()["id"])


def test_every_run_was_killed_where_it_should_be(story: Story) -> None:
    """A proof that proves nothing: a run that ended before the kill."""
    assert story.codes == dict.fromkeys(("loading", "dbt", "seal", "record", "reveal"), KILLED)


def test_readers_see_whole_releases_only(story: Story) -> None:
    """A half-built release in the list, or a `current` that opens nothing or half of it."""
    one, two = f"000001-{AS_OF}", f"000002-{AS_OF}"
    nothing = Seen(names=[], opened=None)
    assert story.seen == {
        "loading": nothing,
        "dbt": nothing,
        "seal": nothing,
        "record": nothing,
        "reveal": Seen(names=[one, two], opened=one),
    }


def test_the_next_run_finishes_what_was_recorded(story: Story) -> None:
    """A release that was recorded as shown and that nobody can ever open."""
    story.last.green()
    assert look(story.home) == Seen(
        names=[f"00000{number}-{AS_OF}" for number in (1, 2, 3)], opened=f"000003-{AS_OF}"
    )


def test_all_hashes_equal_those_of_a_run_that_nobody_killed(story: Story, clean: Home) -> None:
    """Rows that a kill loses, or that the rerun loads twice."""
    for release in story.home.names():
        assert story.home.hashes(release) == clean.hashes(), release


def test_nothing_half_written_is_left(story: Story) -> None:
    """A disk that fills up with what kills leave behind."""
    hidden = [p.name for p in story.home.releases.iterdir() if p.name.startswith(".")]
    assert hidden == []


def test_the_dead_runs_are_marked_failed(story: Story) -> None:
    """Runs that the Dagster UI shows as running for ever."""
    with closing(sqlite3.connect(story.home.path / "dagster" / "history" / "runs.db")) as runs:
        counted = dict(runs.execute("select status, count(*) from runs group by status"))
    assert counted == {"FAILURE": 5, "SUCCESS": 2}


def test_a_run_says_that_the_one_before_it_died(story: Story) -> None:
    """An operator who never learns that something kills the runs."""
    assert "died while it held the build; what it left is healed" in story.last.out


def test_a_project_that_was_parsed_is_not_parsed_anew(story: Story, clean: Home) -> None:
    """A quarter of a minute of every first run after a home was moved or copied, or got memory."""
    for home in (story.home, clean):
        assert "partial parsing" not in (home.path / "logs" / "run.log").read_text("utf-8")


def test_no_alert_is_lost_or_told_twice(story: Story, clean: Home) -> None:
    """Alerts of a release whose run was killed before it could evaluate them."""
    told, expected = (
        [
            (line["account_id"], line["rule"], line["day"], line["transition"])
            for line in home.told()
        ]
        for home in (story.home, clean)
    )
    assert sorted(told) == sorted(expected)
