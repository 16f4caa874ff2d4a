"""From when a row is known: by its day, else by its first run, and the same after a rebuild."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from assets.extracts.deliveries import Arrival, Delivery, delivered_at, known_instants
from assets.extracts.errors import ExtractError
from assets.extracts.known_log import KnownLog
from assets.extracts.landing import open_landing
from assets.extracts.stores import Folder

FIRST = datetime(2025, 1, 1, tzinfo=UTC)
YEAR = timedelta(days=365)


def a_delivery() -> Delivery:
    return Delivery(
        delivery_id=1,
        source="events",
        table_name="events",
        path="events/events/a.csv",
        content_hash="0",
        path_version=1,
        dt=None,
        size_bytes=1,
        first_as_of=FIRST,
        delivered_at=FIRST,
        run_id="run",
        loaded_at=FIRST,
    )


def known(bench: Any) -> list[tuple[Any, ...]]:
    return bench.rows("select event_id, _known_at::varchar from events.events order by event_id")


def test_days_one_by_one_are_known_as_days_at_once(bench: Any, events: Any) -> None:
    """A backfill that seems to have known everything on its own day, or nothing before it."""
    expected = [("e1", None), ("e2", "2024-12-03 00:00:00+00"), ("e3", "2024-12-04 00:00:00+00")]
    for number in (1, 2, 3):
        bench.write(f"events/events/dt=2024-12-0{number}/e.csv", events(f"e{number}"))
        bench.load("events.events", FIRST + timedelta(days=number))
    assert known(bench) == expected
    (bench.landing / ".csw/deliveries.jsonl").unlink()
    bench.rebuild()
    bench.load("events.events", FIRST + YEAR)
    assert known(bench) == expected


def test_a_day_ends_in_the_reporting_time_zone(bench: Any, events: Any) -> None:
    """A row known some hours too early or late."""
    for number in (1, 2):
        bench.write(f"events/events/dt=2024-12-0{number}/e.csv", events(f"e{number}"))
    bench.load("events.events", time_zone="America/New_York")
    assert known(bench) == [("e1", None), ("e2", "2024-12-03 05:00:00+00")]


def test_files_without_a_day_are_known_from_their_first_run(bench: Any, events: Any) -> None:
    """A rebuild a year later that forgets when a file came."""
    bench.write("events/events/a.csv", events("e1"))
    bench.load("events.events", FIRST)
    bench.write("events/events/b.csv", events("e2"))
    bench.load("events.events", FIRST + timedelta(days=3))
    expected = [("e1", None), ("e2", "2025-01-04 00:00:00+00")]
    assert known(bench) == expected
    order = bench.rows("select _load_order from crm.accounts")
    bench.rebuild()
    bench.load("events.events", FIRST + YEAR)
    assert known(bench) == expected
    assert bench.rows("select _load_order from crm.accounts") == order


def test_days_that_follow_a_file_without_one_are_known_from_their_end(
    bench: Any, events: Any
) -> None:
    """The first day after a change to dt= folders taken for the table's beginning."""
    bench.write("events/events/history.csv", events("e1"))
    bench.load("events.events", FIRST)
    bench.write("events/events/dt=2025-01-01/e.csv", events("e2"))
    bench.load("events.events", FIRST + timedelta(days=1))
    assert known(bench) == [("e1", None), ("e2", "2025-01-02 00:00:00+00")]


def test_versions_of_a_path_are_remembered(bench: Any, accounts: Any) -> None:
    """A rebuild that takes the newest version for the first."""
    for day, tier in enumerate(["Basic", "Pro"]):
        bench.write("crm/accounts/a.csv", accounts("a1", tier=tier))
        bench.load("crm.accounts", FIRST + timedelta(days=day))
    newest = bench.rows("select _known_at, _load_order from crm.accounts where tier = 'Pro'")
    bench.rebuild()
    bench.load("crm.accounts", FIRST + YEAR)
    assert bench.rows("select _known_at, _load_order from crm.accounts") == newest


def test_the_log_is_healed_from_the_manifest(bench: Any, events: Any) -> None:
    """A kill between commit and log that makes a rebuild forget."""
    bench.write("events/events/a.csv", events("e1"))
    bench.load("events.events", FIRST)
    log = bench.landing / ".csw/deliveries.jsonl"
    text = log.read_text()
    log.unlink()
    bench.load("events.events", FIRST + YEAR)
    assert log.read_text() == text
    said = json.loads(text)
    assert (said["table"], said["path"], said["known_at"]) == (
        "events.events",
        "events/events/a.csv",
        None,
    )
    assert said["first_as_of"] == "2025-01-01T00:00:00+00:00"


def test_a_log_that_somebody_edited_is_one_clear_error(tmp_path: Path) -> None:
    """A traceback from a JSON parser."""
    (tmp_path / "deliveries.jsonl").write_text("{}\n")
    with pytest.raises(ExtractError, match=r"deliveries.jsonl, line 1: is not what the loader"):
        KnownLog([(Folder(tmp_path), "deliveries.jsonl")])


def test_a_landing_that_cannot_be_written_is_remembered_elsewhere(
    bench: Any, events: Any, tmp_path: Path
) -> None:
    """A read-only landing stopping the load, or forgotten on a rebuild."""
    bench.write("events/events/a.csv", events("e1"))
    (bench.landing / ".csw").write_text("no folder")
    bench.load("events.events", FIRST)
    assert "events/events/a.csv" in (tmp_path / "home/deliveries.jsonl").read_text()
    bench.rebuild()
    bench.load("events.events", FIRST + YEAR)
    assert bench.rows("select first_as_of from landing.deliveries") == [(FIRST,)]


def test_known_instants_do_not_depend_on_the_order_of_loading() -> None:
    """The first day being whichever was loaded first."""
    days = [date(2024, 12, day) for day in (1, 2, 3)]
    arrivals = {
        n: Arrival(
            dt=day,
            first_as_of=FIRST - timedelta(days=n),
            delivered_at=delivered_at(day, FIRST, "UTC"),
        )
        for n, day in enumerate(days)
    }
    instants = known_instants(arrivals, [])
    assert instants == {0: None, 1: arrivals[1].delivered_at, 2: arrivals[2].delivered_at}


def test_a_watermark_is_the_end_of_the_day_or_the_newest_dated_row(bench: Any, events: Any) -> None:
    """A row that is dated ahead pulling the watermark with it."""
    bench.write("events/events/a.csv", events("e1", day="2024-12-05"))
    bench.write("events/events/b.csv", events("e2", day="2031-01-01"))
    load = bench.load("events.events", FIRST)
    assert load.watermark_at == datetime(2024, 12, 5, 10, tzinfo=UTC)
    bench.write("events/events/dt=2024-12-07/a.csv", events("e3"))
    load = bench.load("events.events", FIRST)
    assert load.watermark_at == datetime(2024, 12, 8, tzinfo=UTC)


def test_a_landing_that_nobody_may_write_to_is_left_as_it_is(tmp_path: Path) -> None:
    """Prevents books among files that were only lent to us: root could write them there."""
    landing = tmp_path / "lent"
    landing.mkdir()
    landing.chmod(0o555)
    log = KnownLog.beside(open_landing(landing), otherwise=tmp_path / "home")
    log.remember([a_delivery()])
    assert list(landing.iterdir()) == []
    assert (tmp_path / "home" / "deliveries.jsonl").is_file()
