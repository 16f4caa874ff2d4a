"""History, hierarchy and metrics of accounts against their re-computation in plain Python."""

import json
from contextlib import closing
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

from tests.integration.agreement import assert_agree
from tests.integration.compiled_warehouse import ROOT, Warehouse, land, open_build, read_rows
from tests.integration.compiled_warehouse import read_seed as read_seed_file
from tests.integration.test_marts_agree_with_python import raw_tables
from tests.recompute.account_histories import Told, account_hierarchy, account_history
from tests.recompute.account_trends import account_metrics
from tests.recompute.account_world import AccountWorld, account_world
from tests.recompute.calendars import local_day
from tests.recompute.merges import of_survivors, survivors

Rows = list[dict[str, Any]]

# Of account_kpis_daily what account_metrics_daily has too, and what is no number.
NO_KEY_FIGURES = {
    "active_seats",
    "purchased_seats",
    "seat_adoption_ratio",
    "is_time_to_value_censored",
    "renewal_on",
    "renewal_risk_band",
}


@pytest.mark.parametrize(("seed", "zone"), [(3, "UTC"), (5, "UTC"), (9, "Europe/Berlin")])
def test_accounts_agree_with_their_recomputation(
    warehouse: Warehouse, seed: int, zone: str
) -> None:
    """Prevents a wrong owner, tier or parent on some day, a tree counted twice, a false trend."""
    world = account_world(seed)
    small = warehouse.only("account_history", "account_hierarchy", "account_metrics")
    with closing(open_build()) as build:
        _land(build, small, world)
        small.run(build, world.books.as_of, zone=zone)
        history = account_history(_told(build, world, ZoneInfo(zone)))
        mart = read_rows(build, "accounts.account_history")
        assert_agree(mart, history, ["account_id", "valid_from"])
        _assert_the_hierarchy_agrees(build, history)
        _assert_the_metrics_agree(build, world, ZoneInfo(zone))


def _land(build: duckdb.DuckDBPyConnection, warehouse: Warehouse, world: AccountWorld) -> None:
    """The books, and the history of what was shown, in which every day has been."""
    tables = raw_tables(world.books)
    land(build, tables | {"crm.accounts": world.accounts, "crm.account_team": world.team})
    for table, rows in (
        ("account_metrics_daily", world.metrics),
        ("fct_account_health_daily", world.profiles),
    ):
        promised = next(node.types for node in warehouse.nodes if node.name == table)
        types = {name: promised[name] for name in rows[0]}
        for name, kind in types.items():
            build.execute(f"alter table history.{table} add column if not exists {name} {kind}")
        build.execute(
            f"insert into history.{table} by name select unnest(from_json(?, ?), max_depth := 2)",
            [json.dumps(rows, default=str), json.dumps([types])],
        )


def _told(build: duckdb.DuckDBPyConnection, world: AccountWorld, zone: ZoneInfo) -> Told:
    as_of = world.books.as_of
    merges = [row for row in world.books.merges if row["merged_at"] < as_of]
    landed = {row["account_id"] for row in world.accounts if row["created_at"] < as_of}
    who = survivors(merges, landed)
    phases = read_rows(build, "intermediate.int_subscription_phases")
    dated = read_rows(build, "intermediate.int_accounts_dated")
    words = read_seed_file(ROOT / "seeds" / "account_statuses.csv")
    return Told(
        accounts=world.accounts,
        team=[row for row in of_survivors(world.team, who) if row["valid_from"] < as_of],
        phases=[row for row in phases if row["policy"] == "standard" and row["is_latest"]],
        first_days={row["account_id"]: row["first_day"] for row in dated},
        words={row["crm_status"]: row["account_status"] for row in words},
        merges=merges,
        as_of=as_of,
        zone=zone,
    )


def _assert_the_hierarchy_agrees(build: duckdb.DuckDBPyConnection, history: Rows) -> None:
    plain = account_hierarchy(history, read_rows(build, "accounts.account_scorecard"))
    mart = read_rows(build, "accounts.account_hierarchy")
    assert_agree(mart, plain, ["ancestor_id", "descendant_id", "valid_from"])


def _assert_the_metrics_agree(
    build: duckdb.DuckDBPyConnection, world: AccountWorld, zone: ZoneInfo
) -> None:
    today = local_day(world.books.as_of, zone)
    shown = read_rows(build, "accounts.account_metrics_daily")
    restated = read_rows(build, "accounts.account_metrics_daily_restated")
    for row in restated:
        row.pop("days_late")
    yesterday = today - timedelta(days=1)
    figures = read_rows(build, "health.account_kpis_daily")
    plain = account_metrics(
        [
            *(row for row in shown if row["day"] == yesterday),
            *(row for row in restated if row["day"] < yesterday),
            *({k: row[k] for k in row.keys() - NO_KEY_FIGURES} for row in figures),
        ],
        read_rows(build, "accounts.dim_accounts"),
        read_rows(build, "health.fct_account_health_daily"),
        today,
    )
    assert_agree(read_rows(build, "accounts.account_metrics"), plain, ["account_id", "metric"])
