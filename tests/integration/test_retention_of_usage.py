"""Rollups of days whose raw events were cut, through everything that may land afterwards."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest

from assets.extracts.contracts import load_contracts
from assets.extracts.retention import cut_rows
from tests.integration.compiled_warehouse import Node, Warehouse
from tests.integration.test_usage_is_incremental import BEGINNING, World, _load, _open

STEPS, STEPS_AFTER = 4, 2
Rows = Sequence[tuple[Any, ...]]


@pytest.fixture(scope="module")
def usage(warehouse: Warehouse) -> Warehouse:
    """All that is kept from run to run."""
    return warehouse.only("int_usage_rolled_up")


def test_nothing_makes_a_day_anew_whose_events_were_cut(tmp_path: Path, usage: Warehouse) -> None:
    """Prevents a link, a merge, a test account or a late row that empties the days of the past.

    A second build takes everything and is never cut: the days since then agree in both.
    """
    world = World(landing=tmp_path / "landing", dice=Random(1))  # noqa: S311 - a test's dice
    for step in range(STEPS):
        world.deliver(step)
    world.write("events/events/daily.jsonl", [*_daily(world)])
    first = (world.now - timedelta(days=20)).replace(hour=0, minute=0, second=0, microsecond=0)
    cut_file, whole_file = (tmp_path / name / "build.duckdb" for name in ("cut", "whole"))
    for file in (cut_file, whole_file):
        file.parent.mkdir()
    with (
        closing(_open(cut_file)) as cut,
        closing(_open(whole_file)) as whole,
    ):
        for build in (cut, whole):
            _run(build, world, usage, world.now)
        assert cut_rows(cut, load_contracts()["events.events"], first).rows_cut > 5
        before = _kept(cut, usage, "<", first.date())
        for step in range(STEPS, STEPS + STEPS_AFTER):
            _disturb(world, step, first)
            for build in (cut, whole):
                _run(build, world, usage, world.now)
        assert cut.execute("select distinct rule from landing.quarantine").fetchall() == [
            ("too_old",)
        ]
        assert _kept(cut, usage, "<", first.date()) == before
        assert _kept(cut, usage, ">=", first.date()) == _kept(whole, usage, ">=", first.date())


def _daily(world: World) -> Iterator[dict[str, Any]]:
    """A user and a visitor who come every day, so that every day has something to lose."""
    for ago in range(45):
        at = (world.now - timedelta(days=ago)).isoformat()
        for user, visitor in (("u", None), (None, "p")):
            said = {"account_id": "a", "user_id": user, "anonymous_id": visitor, "occurred_at": at}
            yield world.event(f"daily{ago}{user}") | said


def _disturb(world: World, step: int, first: datetime) -> None:
    """Whatever a source may do, and what would make days of the past anew.

    A row that is too late; a visitor who is identified, in time for the days before; an account
    that becomes a test and is none again, which touches all of its days and those beside them.
    """
    world.deliver(step)
    too_late = (first - timedelta(days=step - STEPS, seconds=1)).isoformat()
    in_time = (first + timedelta(days=step - STEPS, hours=30)).isoformat()
    said = {"account_id": "a", "user_id": "w", "anonymous_id": "p"}
    rows = [
        world.event(f"late{step}") | said | {"occurred_at": too_late},
        world.event(f"told{step}") | said | {"occurred_at": in_time},
    ]
    world.write(f"events/events/late{step}.jsonl", rows)
    account: dict[str, Any] = {
        "account_id": "a",
        "account_name": "a",
        "created_at": BEGINNING.isoformat(),
        "updated_at": world.now.isoformat(),
        "is_test": (step - STEPS) % 2 == 0,
    }
    world.write(f"crm/accounts/flip{step}.jsonl", [account])


def _run(build: duckdb.DuckDBPyConnection, world: World, usage: Warehouse, as_of: datetime) -> None:
    _load(build, world, as_of)
    usage.run_on(build, as_of)


def _kept(
    build: duckdb.DuckDBPyConnection, usage: Warehouse, side: str, day: date
) -> dict[str, Rows]:
    """The rows of all that is kept, of the days on one side of a day."""
    found: dict[str, Rows] = {}
    for node in _by_day(build, usage):
        gone = " and not is_gone" if node.name == "int_identifications" else ""
        found[node.name] = build.execute(
            f"select * from {node.relation} where day {side} ?{gone} order by all",  # noqa: S608
            [day],
        ).fetchall()
    assert len(found) > 5
    return found


def _by_day(build: duckdb.DuckDBPyConnection, usage: Warehouse) -> Iterator[Node]:
    """What is rolled up by day; marts beside it also follow licences, links and windows."""
    for node in usage.nodes:
        if node.is_kept and node.schema == "intermediate":
            columns = build.execute(f"describe {node.relation}").fetchall()
            if "day" in {name for name, *_ in columns}:
                yield node
