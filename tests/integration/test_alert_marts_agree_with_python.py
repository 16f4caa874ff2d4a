"""The alerts' marts against their re-computation, on ledgers made by dice."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import duckdb
import numpy as np
import pytest

from tests.integration.agreement import assert_agree
from tests.integration.compiled_warehouse import Warehouse, open_build, read_rows
from tests.recompute import alerts
from tests.recompute.dice import SeededDice

AS_OF = datetime(alerts.TODAY.year, alerts.TODAY.month, alerts.TODAY.day, tzinfo=UTC)
LEDGER = ("alerts", "alert_events", "actions")
MARTS = {
    "fct_alerts": ["alert_id"],
    "fct_alert_events": ["alert_id", "ordinal"],
    "fct_actions": ["action_key"],
    "alert_rule_performance": ["rule"],
}
# What they read of other areas, with the columns that they read.
OTHERS = {
    "int_accounts_named": "named_id varchar, account_id varchar",
    "account_metrics_daily": "account_id varchar, day date, account_status varchar",
}


@pytest.fixture(scope="module")
def small(warehouse: Warehouse) -> Warehouse:
    """The alerts' models alone."""
    names = {*MARTS, *(f"stg_ledger__{name}" for name in LEDGER)}
    return replace(warehouse, nodes=tuple(n for n in warehouse.nodes if n.name in names))


@pytest.fixture
def build(warehouse: Warehouse) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty build with the tables of other areas."""
    with closing(open_build()) as build:
        for node in warehouse.nodes:
            if node.name in OTHERS:
                build.execute(f'create schema if not exists "{node.schema}"')
                build.execute(f"create table {node.relation} ({OTHERS[node.name]})")
        yield build


@pytest.mark.parametrize("seed", range(6))
def test_what_came_of_alerts_is_what_plain_python_says(
    small: Warehouse, build: duckdb.DuckDBPyConnection, seed: int
) -> None:
    """A merged account's alerts under nobody, a day too many in the 90, a ratio of other counts."""
    world = alerts.alert_world(SeededDice(np.random.default_rng(seed)))
    put(build, "ledger.alerts", world.alerts)
    put(build, "ledger.alert_events", world.events)
    put(build, "ledger.actions", world.actions)
    named = [{"named_id": name, "account_id": own} for name, own in alerts.NAMED.items()]
    put(build, "intermediate.int_accounts_named", named)
    statuses = [
        {"account_id": account, "day": day, "account_status": status}
        for (account, day), status in world.statuses.items()
    ]
    put(build, "accounts.account_metrics_daily", statuses)
    small.run(build, AS_OF)
    for mart, key in MARTS.items():
        plain = getattr(alerts, mart)(world)
        assert plain
        assert_agree(read_rows(build, f"alerts.{mart}"), plain, key)


def put(build: duckdb.DuckDBPyConnection, relation: str, rows: Sequence[Mapping[str, Any]]) -> None:
    types = {name: kind for name, kind, *_ in build.execute(f"describe {relation}").fetchall()}
    build.execute(
        f"insert into {relation} by name select unnest(from_json(?, ?), max_depth := 2)",
        [json.dumps(rows, default=str), json.dumps([types])],
    )
