"""The KPIs' own SQL against its re-computation, on random rows of the marts that it reads."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any

import duckdb
import pytest

from tests.integration.agreement import assert_agree
from tests.integration.compiled_warehouse import Warehouse, open_build, read_rows
from tests.recompute import health_views, kpis
from tests.recompute.kpi_world import (
    AS_OF,
    EXPANSION_SETTINGS,
    LAST,
    RENEWAL_SETTINGS,
    TODAY,
    VALUE_EVENTS,
    World,
    kpi_world,
)
from tests.recompute.kpis_daily import account_kpis_daily

Row = Mapping[str, Any]

MARTS = (
    "time_to_value",
    "time_to_value_cohorts",
    "renewal_risk",
    "expansion_opportunities",
    "account_kpis_daily",
    "account_kpis",
    "account_health_weekly",
    "health_peers_daily",
    "health_reasons",
)
STEPS = ("int_features_entitled", "int_engagement_scored", "int_kpis_measured")


@pytest.fixture(scope="module")
def build(warehouse: Warehouse) -> Iterator[duckdb.DuckDBPyConnection]:
    """A build of these marts and all that they are made from, as yet without a row."""
    with closing(open_build()) as build:
        warehouse.only(*MARTS).run(build, AS_OF, seeds=kpi_world(0, accounts=0).seeds)
        yield build


@pytest.mark.parametrize("seed", [1, 2])
def test_each_kpi_is_what_plain_python_says(
    warehouse: Warehouse, build: duckdb.DuckDBPyConnection, seed: int
) -> None:
    """Prevents a start, a share, a point, a band, a quartile or a reason that the spec hasn't."""
    world = kpi_world(seed)
    _put(build, world)
    own = replace(warehouse, nodes=tuple(n for n in warehouse.nodes if n.name in (*MARTS, *STEPS)))
    own.run(build, AS_OF)
    shown = {name: read_rows(build, f"health.{name}") for name in MARTS}
    assert min(map(len, shown.values())) > 10
    _assert_kpis_agree(world, shown)
    _assert_views_agree(world, shown, _units(build))


def _assert_kpis_agree(world: World, shown: Mapping[str, list[dict[str, Any]]]) -> None:
    arrivals = kpis.time_to_value(world, VALUE_EVENTS, AS_OF)
    risks = kpis.renewal_risk(world, RENEWAL_SETTINGS, TODAY)
    expansions = kpis.expansion_opportunities(world, EXPANSION_SETTINGS, AS_OF)
    daily = account_kpis_daily(world, VALUE_EVENTS, RENEWAL_SETTINGS, EXPANSION_SETTINGS)
    assert_agree(shown["account_kpis_daily"], daily, ["account_id", "day"])
    figures = kpis.account_kpis(world, daily, expansions, TODAY)
    assert_agree(shown["time_to_value"], arrivals, ["account_id"])
    assert_agree(
        shown["time_to_value_cohorts"],
        kpis.time_to_value_cohorts(arrivals),
        ["month", "tier", "size_band"],
    )
    assert_agree(shown["renewal_risk"], risks, ["subscription_id", "renewal_on"])
    assert_agree(shown["expansion_opportunities"], expansions, ["account_id"])
    assert_agree(shown["account_kpis"], figures, ["account_id"])


def _assert_views_agree(
    world: World, shown: Mapping[str, list[dict[str, Any]]], units: Mapping[str, str]
) -> None:
    assert_agree(
        shown["account_health_weekly"],
        health_views.account_health_weekly(world),
        ["account_id", "week"],
    )
    assert_agree(
        shown["health_peers_daily"],
        health_views.health_peers_daily(world, world.seeds),
        ["benchmark", "group_name", "metric", "day"],
    )
    reasons = health_views.health_reasons(world, world.seeds, LAST, units)
    assert {row["kind"] for row in reasons} == {
        "override", "coverage", "missing", "cap", "condition"
    }  # fmt: skip
    assert_agree(shown["health_reasons"], reasons, ["account_id", "position"])


def _put(build: duckdb.DuckDBPyConnection, world: World) -> None:
    """Puts the world's rows in place of those that the relations hold; a column unsaid is NULL."""
    for relation, rows in world.tables.items():
        types = {name: kind for name, kind, *_ in build.execute(f"describe {relation}").fetchall()}
        assert {name for row in rows for name in row} <= types.keys()
        build.execute(f"delete from {relation}")  # noqa: S608 - names of our own tables
        build.execute(
            f"insert into {relation} by name select unnest(from_json(?, ?), max_depth := 2)",
            [json.dumps(rows, default=str), json.dumps([types])],
        )


def _units(build: duckdb.DuckDBPyConnection) -> dict[str, str]:
    return dict(build.execute("select metric, unit from meta.metric_registry").fetchall())
