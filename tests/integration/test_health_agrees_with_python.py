"""The health marts against their re-computation, and what history keeps against a back-fill."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from assets.health.explaining import PARTS
from assets.releases.history import ROLLUP_BOOKS
from tests.integration.agreement import assert_agree
from tests.integration.compiled_warehouse import (
    ROOT,
    Warehouse,
    land_anew,
    open_build,
    publish,
    read_rows,
    read_seed,
)
from tests.recompute.deliveries import DAYS, FIRST_DAY, Folders, seeded_folders
from tests.recompute.health import Judgement, judge
from tests.recompute.health_landings import (
    edgy_seeds,
    edited_seeds,
    facts_of,
    named_folders,
    override_in_force,
    pairs_of,
    rules_of,
)
from tests.recompute.metrics import Known

Row = Mapping[str, Any]
Seeds = dict[str, Sequence[Row]]

SEEDS = ROOT / "seeds"
RULE_BASED = ROOT / "assets" / "health" / "seed_sets" / "rule_based"
METRICS = "accounts.account_metrics_daily"
KPIS = "health.account_kpis_daily"
KEYS = {
    "health.fct_health_conditions_daily": ("conditions", ["account_id", "day", "condition"]),
    "health.fct_account_health_daily": ("daily", ["account_id", "day"]),
    "health.fct_health_components_daily": ("components", ["account_id", "day", "component"]),
    "health.fct_health_changes": ("changes", ["account_id", "day"]),
}
MARTS = tuple(name.split(".")[1] for name in (*KEYS, METRICS))
END = FIRST_DAY + timedelta(days=DAYS)


def _day(number: int) -> date:
    return (FIRST_DAY + timedelta(days=number)).date()


def _override(account: str, first: int, last: int, known: int | None, **said: Any) -> Row:
    return {
        "account_id": account,
        "starts_on": _day(first),
        "expires_on": _day(last),
        "author": "A. Person",
        "reason": "as agreed",
        "score": None,
        "state": None,
        "_known_at": None if known is None else FIRST_DAY + timedelta(days=known),
        **said,
    }


OVERRIDES = (
    _override("a", 10, 20, None, score=88.0),
    _override("a", 15, 17, None, state="poor"),
    _override("a", 16, 18, None),
    _override("a", 40, 44, 42, state="unknown"),
    _override("b", 30, 50, 33, score=12.5, state="good"),
)

# As-of days since the first folder, and the configuration that is in force then.
RUNS = ((1, "v1"), (2, "v1"), (11, "v1"), (40, "v1"), (41, "v2"), (60, "v2"), (DAYS, "v2"))
EDITED_ON = 40


@pytest.fixture(scope="module")
def health_warehouse(warehouse: Warehouse) -> Warehouse:
    """What health is made from, and no more."""
    return warehouse.only(*MARTS)


@pytest.mark.parametrize(("seed", "folder"), [(1, SEEDS), (2, SEEDS), (2, RULE_BASED)])
def test_health_agrees_under_the_seeds_that_are_shipped(
    health_warehouse: Warehouse, seed: int, folder: Path
) -> None:
    """Prevents a score, a state, a reason or a change that the shipped seeds don't say."""
    shipped = {name: read_seed(folder / f"{name}.csv") for name in edgy_seeds()}
    _assert_health_agrees(health_warehouse, seeded_folders(seed), shipped)


@pytest.mark.parametrize("seed", [21, 22, 23])
def test_health_agrees_under_conditions_that_are_all_edges(
    health_warehouse: Warehouse, seed: int
) -> None:
    """Prevents a band, a share or a reason that is right for the seeds as they are and no others.

    Three profiles that accounts enter and leave, one of them judged by rule; parts, modules, a
    feature, an event's name, ages, caps and overrides.
    """
    _assert_health_agrees(health_warehouse, named_folders(seed), edgy_seeds(), OVERRIDES)


@pytest.mark.parametrize("seed", [24])
def test_what_was_shown_stays_and_an_edited_seed_changes_only_later_days(
    health_warehouse: Warehouse, seed: int
) -> None:
    """Prevents history that is judged anew, and a change that an edit made and inputs are told for.

    Each run sees what had been delivered by then and appends its days; from the edit on other
    weights, edges, conditions and caps hold. Every day is what a plain judgement of that day alone
    says, and what its first release showed.
    """
    landed, seeds = named_folders(seed), edgy_seeds()
    first_shown: dict[str, dict[tuple[Any, ...], Row]] = {name: {} for name in KEYS}
    with closing(open_build()) as build:
        for number, (day, version) in enumerate(RUNS):
            as_of = FIRST_DAY + timedelta(days=day)
            land_new(build, landed, as_of, OVERRIDES)
            _forget_rollups(build)
            health_warehouse.run(
                build, as_of, version=version, seeds=seeds if version == "v1" else edited_seeds()
            )
            for name, (_, key) in KEYS.items():
                for row in read_rows(build, name):
                    first_shown[name].setdefault(tuple(row[k] for k in key), row)
            publish(build, number, as_of)
        in_force = {_day(-400): ("v1", seeds), _day(EDITED_ON): ("v2", edited_seeds())}
        _assert_agrees(build, landed, in_force, OVERRIDES)
        for name, (_, key) in KEYS.items():
            shown = list(first_shown[name].values())
            assert_agree(read_rows(build, name), shown, key)
        changes = read_rows(build, "health.fct_health_changes")
        never = [part for part in PARTS if not any(row[f"from_{part}"] for row in changes)]
        assert never == [], "the landing is to show a change by each part"


@pytest.mark.parametrize("seed", [21])
def test_runs_on_many_days_show_what_one_back_fill_shows(warehouse: Warehouse, seed: int) -> None:
    """Prevents a score, a hold, a slope or a key figure that depends on how often the job ran."""
    landed, seeds = named_folders(seed), edgy_seeds()
    with_kpis = warehouse.only(*MARTS, "account_kpis_daily")
    with closing(open_build()) as often, closing(open_build()) as once:
        for number, (day, _) in enumerate(RUNS):
            as_of = FIRST_DAY + timedelta(days=day)
            land_new(often, landed, as_of, OVERRIDES)
            _forget_rollups(often)
            with_kpis.run(often, as_of, seeds=seeds)
            publish(often, number, as_of)
        land_new(once, landed, END, OVERRIDES)
        with_kpis.run(once, END, seeds=seeds)
        keys = {name: key for name, (_, key) in KEYS.items()} | {KPIS: ["account_id", "day"]}
        for name, key in keys.items():
            assert_agree(read_rows(often, name), read_rows(once, name), key)


def _forget_rollups(build: duckdb.DuckDBPyConnection) -> None:
    """Every run makes its rollups from nothing, so that only health has a memory here."""
    for table in ROLLUP_BOOKS:
        build.execute(f"delete from rollups.{table}")  # noqa: S608 - names of our own tables


def _assert_health_agrees(
    warehouse: Warehouse, landed: Folders, seeds: Seeds, overrides: Sequence[Row] = ()
) -> None:
    with closing(open_build()) as build:
        land_new(build, landed, END, overrides)
        warehouse.run(build, END, seeds=seeds)
        _assert_agrees(build, landed, {_day(-400): ("v1", seeds)}, overrides)


def _assert_agrees(
    build: duckdb.DuckDBPyConnection,
    landed: Folders,
    in_force: Mapping[date, tuple[str, Seeds]],
    overrides: Sequence[Row] = (),
) -> None:
    """Compares every mart; `in_force` says from which day on which seeds held."""
    judged = _judge(build, landed, in_force, overrides)
    for relation, (name, key) in KEYS.items():
        assert_agree(read_rows(build, relation), getattr(judged, name), key)


def _judge(
    build: duckdb.DuckDBPyConnection,
    landed: Folders,
    in_force: Mapping[date, tuple[str, Seeds]],
    overrides: Sequence[Row],
) -> Judgement:
    known = Known(tables=landed.tables, deliveries=landed.deliveries, crm_words={})
    metrics = read_rows(build, METRICS)
    sources = {r["metric"]: r["source_name"] for r in read_rows(build, "meta.metric_registry")}
    facts = list(facts_of(known, metrics, pairs_of(*(seeds for _, seeds in in_force.values()))))
    rules = {
        since: rules_of(seeds, version) for since, (version, seeds) in sorted(in_force.items())
    }
    return judge(
        facts,
        lambda day: rules[max(since for since in rules if since <= day)],
        sources,
        lambda account, day: override_in_force(known, overrides, account, day),
    )


def land_new(
    build: duckdb.DuckDBPyConnection,
    landed: Folders,
    as_of: datetime,
    overrides: Sequence[Row] = (),
) -> None:
    there = landed.until(as_of)
    told = [o for o in overrides if o["_known_at"] is None or o["_known_at"] <= as_of]
    tables = there.tables | {"crm.health_overrides": told}
    land_anew(build, tables | {"landing.deliveries": there.deliveries})
