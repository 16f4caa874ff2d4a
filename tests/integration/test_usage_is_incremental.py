"""Usage rollups after many loads, late and out of order, against one build of everything."""

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest

from assets.extracts.contracts import load_contracts
from assets.extracts.event_days import cut_events
from assets.extracts.known_log import KnownLog
from assets.extracts.landing import open_landing, profile_for
from assets.extracts.loader import load_table
from assets.extracts.tables import prepare
from assets.releases.history import prepare_history
from tests.integration.compiled_warehouse import Warehouse

BEGINNING = datetime(2025, 3, 1, tzinfo=UTC)
ZONE = "Europe/Berlin"  # its summer begins on 30 March
TABLES = (
    "events.events",
    "events.users",
    "crm.accounts",
    "crm.account_links",
    "crm.account_merges",
    "crm.leads",
    "crm.licenses",
    "crm.license_assignments",
)
ENDS = ("int_usage_rolled_up", "fct_account_activity_daily", "account_module_usage")
STEPS = 7
OUTLIVING = ("dim_users", "user_feature_usage", "fct_account_activity_daily")


@dataclass(kw_only=True)
class World:
    """A landing that grows, is corrected and repeats itself; the same seed, the same files."""

    landing: Path
    dice: Random
    sent: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    now: datetime = BEGINNING + timedelta(days=40)

    def deliver(self, step: int) -> None:
        """One more delivery of everything that a source may do."""
        dice = self.dice
        self.now += timedelta(days=dice.choice((0, 1, 1, 1, 2, 9)))
        rows = [self.event(f"e{step}-{n}") for n in range(dice.randrange(4, 16))]
        rows += [{**dice.choice(self.sent), "quantity": 7} for _ in range(2) if self.sent]
        self.sent += rows
        self.write(f"events/events/{step}.jsonl", rows)
        if step > 1 and dice.random() < 0.4:
            path = dice.choice(sorted(path for path in self.files if path.startswith("events/ev")))
            self.write(path, [*self.files[path][1:], self.event(f"again{step}")])
        self._accounts(step)
        if dice.random() < 0.5:
            self._user(step)
        if dice.random() < 0.4:
            since = (BEGINNING + timedelta(days=dice.randrange(40))).isoformat()
            link = {"source_account_id": "org", "account_id": dice.choice("ab")}
            until = dice.choice((None, (BEGINNING + timedelta(days=45)).isoformat()))
            self._one(
                "crm/account_links", step, source="events", valid_from=since, valid_to=until, **link
            )
        if dice.random() < 0.5:
            self._seat(step)
        self._becomes(step)

    def _user(self, step: int) -> None:
        """What a source says of u or v, other every time."""
        dice = self.dice
        self._one(
            "events/users",
            step,
            account_id=dice.choice("ab"),
            user_id=dice.choice("uv"),
            is_internal=dice.random() < 0.3,
            created_at=(BEGINNING + timedelta(days=dice.randrange(40))).isoformat(),
            deactivated_at=dice.choice((None, (self.now - timedelta(days=33)).isoformat())),
        )

    def _becomes(self, step: int) -> None:
        """A lead becomes b, and c becomes part of a."""
        if step in (0, 4):
            converted = {"converted_account_id": "b", "converted_at": self.now.isoformat()}
            lead = {"lead_id": "lead", "lead_name": "L", "created_at": BEGINNING.isoformat()}
            self._one("crm/leads", step, **lead, **(converted if step else {}))
        if step == 5:
            merged = {"from_account_id": "c", "into_account_id": "a"}
            self._one("crm/account_merges", step, merged_at=self.now.isoformat(), **merged)

    def _accounts(self, step: int) -> None:
        """Two from the beginning, c soon, and one of them becomes a test account now and then."""
        names = "ab" if step == 0 else "c" if step == 2 else self.dice.choice(["", "", "a", "b"])
        rows = [
            {
                "account_id": name,
                "account_name": name,
                "created_at": BEGINNING.isoformat(),
                "updated_at": (self.now - timedelta(hours=1)).isoformat(),
                "is_test": step > 2 and self.dice.random() < 0.5,
            }
            for name in names
        ]
        self.write(f"crm/accounts/{step}.jsonl", rows)

    def _seat(self, step: int) -> None:
        """A licence of a or b, and somebody who has or had a seat of it."""
        dice = self.dice
        account, package = dice.choice("ab"), dice.choice(("P", "Q"))
        license_id = f"{account}{package}"
        since = BEGINNING + timedelta(days=dice.randrange(40))
        until = dice.choice((None, (since + timedelta(days=9)).isoformat()))
        self._one(
            "crm/licenses",
            step,
            license_id=license_id,
            account_id=account,
            package=package,
            started_at=BEGINNING.isoformat(),
            expires_on=dice.choice((None, self.now.date().isoformat())),
        )
        self._one(
            "crm/license_assignments",
            step,
            license_id=license_id,
            user_id=dice.choice("uv"),
            assigned_at=since.isoformat(),
            unassigned_at=until,
        )

    def event(self, name: str) -> dict[str, Any]:
        dice = self.dice
        ago = dice.choice((0, 0, 1, 1, 2, 5, 31, 40, -2))
        at = self.now - timedelta(days=ago, minutes=dice.randrange(1500))
        user, visitor = dice.choice(
            (("u", None), ("v", "p"), (None, "p"), (None, "q"), (None, None))
        )
        return {
            "event_id": name,
            "account_id": dice.choice(("a", "a", "b", "c", "org", "lead")),
            "user_id": user,
            "anonymous_id": visitor,
            "occurred_at": at.isoformat(),
            "event_type": dice.choice(("use", "use", "login", "error", "custom", "heartbeat")),
            "event_name": dice.choice(("share", None)),
            "package": dice.choice(("P", "Q", None)),
            "module": dice.choice(("Alpha", "Beta", None)),
            "feature": dice.choice(("find", None)),
            "session_id": dice.choice(("s", None, None)),
            "device": dice.choice(("phone", "laptop", None)),
            "is_unhandled": dice.random() < 0.5,
            "error_fingerprint": dice.choice(("f", "g")),
            "error_message": dice.choice(("oh", "no")),
            "quantity": dice.randrange(1, 4),
        }

    def _one(self, table: str, step: int, **row: Any) -> None:
        self.write(f"{table}/{step}.jsonl", [{**row, "updated_at": self.now.isoformat()}])

    def write(self, path: str, rows: list[dict[str, Any]]) -> None:
        self.files[path] = rows
        file = self.landing / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture(scope="module")
def usage(warehouse: Warehouse) -> Warehouse:
    """All that is kept from run to run, and marts over each window that reads it."""
    return warehouse.only("int_usage_rolled_up", *OUTLIVING)


@pytest.mark.parametrize("seed", range(2))
def test_many_loads_give_the_tables_of_one(tmp_path: Path, usage: Warehouse, seed: int) -> None:
    """Prevents a rollup that misses a late, corrected, re-sent or re-linked event, ever.

    Of the runs between two comparisons, most end before a model at random, as if killed there.
    """
    world = World(landing=tmp_path / "landing", dice=Random(seed))  # noqa: S311 - a test's dice
    live = tmp_path / "live" / "build.duckdb"
    live.parent.mkdir()
    kept = [node.name for node in usage.nodes if not node.is_seed]
    for step in range(STEPS):
        world.deliver(step)
        as_of = world.now - timedelta(hours=world.dice.choice((0, 0, 9, 30)))
        dies = world.dice.choice(kept) if step % 2 and world.dice.random() < 0.6 else None
        with closing(_open(live)) as build:
            _load(build, world, as_of)
            usage.run_on(build, as_of, zone=ZONE, dies_before=dies)
            if dies is None:
                _show(build, as_of)
        if step % 2 == 0:
            _assert_same(live, _fresh(tmp_path, live, usage, as_of), usage)


def test_a_load_makes_anew_the_days_that_it_changes(tmp_path: Path, usage: Warehouse) -> None:
    """Prevents a run that does everything again, whatever landed: it would be right, and slow."""
    world = World(landing=tmp_path / "landing", dice=Random(1))  # noqa: S311 - a test's dice
    live = tmp_path / "live" / "build.duckdb"
    live.parent.mkdir()
    for step in range(2):
        world.deliver(step)
    late = world.event("late") | {"account_id": "b", "user_id": "u", "anonymous_id": None}
    late["occurred_at"] = (world.now - timedelta(days=20)).isoformat()
    with closing(_open(live)) as build:
        _load(build, world, world.now)
        usage.run_on(build, world.now)
        first = _due(build)
        _show(build, world.now)
        usage.run_on(build, world.now)
        again = _due(build)
        world.write("events/events/late.jsonl", [late])
        _load(build, world, world.now)
        usage.run_on(build, world.now)
        after = _due(build)
        since = dict(_rows(build, "intermediate.int_accounts_due"))
    late_day = (world.now - timedelta(days=20)).date()
    assert len(first) > 10
    assert again == []
    assert after == [("b", late_day)]
    assert since["b"] <= late_day
    assert since["a"] == world.now.date().replace(day=1)


def test_rollups_outlive_the_raw_events(tmp_path: Path, usage: Warehouse) -> None:
    """Prevents a first seen, a last used or a lifetime counter that moves when old events go.

    After the cut a late event lands on a day that has its raw events.
    """
    world = World(landing=tmp_path / "landing", dice=Random(3))  # noqa: S311 - a test's dice
    live = tmp_path / "live" / "build.duckdb"
    live.parent.mkdir()
    for step in range(4):
        world.deliver(step)
    with closing(_open(live)) as build:
        _load(build, world, world.now)
        usage.run_on(build, world.now)
        before = {name: _rows(build, f"usage.{name}") for name in OUTLIVING}
        cut = (world.now - timedelta(days=20)).replace(hour=0)
        gone = cut_events(build, load_contracts()["events.events"], cut)
        usage.run_on(build, world.now)
        after = {name: _rows(build, f"usage.{name}") for name in OUTLIVING}
        late = world.event("late") | {"account_id": "b", "user_id": "v", "anonymous_id": None}
        late["occurred_at"] = (world.now - timedelta(days=1)).isoformat()
        world.write("events/events/late.jsonl", [late])
        _load(build, world, world.now)
        usage.run_on(build, world.now)
        oldest = build.execute("select min(day) from intermediate.int_actor_days").fetchone()
    assert gone > 10
    assert after == before
    assert oldest is not None
    assert oldest[0] < cut.date()


def _rows(build: duckdb.DuckDBPyConnection, relation: str) -> Sequence[tuple[Any, ...]]:
    return build.execute(f"select * from {relation} order by all").fetchall()  # noqa: S608


def _show(build: duckdb.DuckDBPyConnection, as_of: datetime) -> None:
    """What matters here of a release: days that it shows are not measured again."""
    build.execute(
        "insert into history.account_metrics_daily (account_id, day) values ('a', ?)",
        [as_of.date() - timedelta(days=1)],
    )


def _open(database: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(str(database), config={"threads": "1"})
    connection.execute("set TimeZone = 'UTC'")
    prepare(connection)
    prepare_history(connection)
    return connection


def _load(build: duckdb.DuckDBPyConnection, world: World, as_of: datetime) -> None:
    landing = open_landing(world.landing)
    contracts = load_contracts()
    for table in TABLES:
        load_table(
            build,
            contract=contracts[table],
            profile=profile_for(landing, None),
            landing=landing,
            as_of=as_of,
            known=KnownLog.beside(landing, otherwise=world.landing.parent),
            run_id="run",
            loaded_at=as_of,
        )


def _due(build: duckdb.DuckDBPyConnection) -> Sequence[tuple[Any, ...]]:
    return build.execute("select * from intermediate.int_usage_days_due order by all").fetchall()


def _fresh(folder: Path, live: Path, usage: Warehouse, as_of: datetime) -> Path:
    """The same raw tables with every model made from nothing."""
    copy = folder / "fresh" / "build.duckdb"
    copy.parent.mkdir(exist_ok=True)
    shutil.copy(live, copy)
    with closing(_open(copy)) as build:
        for schema in ("intermediate", "usage", "rollups"):
            build.execute(f"drop schema {schema} cascade")
        prepare_history(build)
        usage.run_on(build, as_of, zone=ZONE)
    return copy


def _assert_same(live: Path, fresh: Path, usage: Warehouse) -> None:
    for relation in _compared(usage):
        rows = []
        for database in (live, fresh):
            with closing(duckdb.connect(str(database), read_only=True)) as build:
                rows.append(build.execute(f"select * from {relation} order by all").fetchall())  # noqa: S608
        kept, new = rows
        extra, missing = _apart(kept, new), _apart(new, kept)
        assert (extra, missing) == ([], []), f"{relation}: kept {extra[:3]}, not {missing[:3]}"


def _apart(rows: Sequence[Any], others: Sequence[Any]) -> list[Any]:
    """What stands in the one more often than in the other."""
    return list((Counter(rows) - Counter(others)).elements())


def _compared(usage: Warehouse) -> Iterator[str]:
    for node in usage.nodes:
        if node.is_kept or node.schema == "usage":
            gone = " where not is_gone" if node.name == "int_identifications" else ""
            yield f"{node.relation}{gone}"
