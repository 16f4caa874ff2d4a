"""The marts against their re-computation in plain Python, on generated landings."""

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings

from tests.integration.agreement import assert_agree
from tests.integration.compiled_warehouse import Rows, Warehouse, read_rows
from tests.recompute.activity import account_activity_daily, account_module_usage
from tests.recompute.books import Landing, landings, seeded, shifted
from tests.recompute.merges import settled
from tests.recompute.revenue import mrr_books

FEW = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.parametrize("seed", range(5))
def test_revenue_and_usage_agree_on_a_big_landing(warehouse: Warehouse, seed: int) -> None:
    """Prevents any wrong number in a mart of revenue or usage that shows up among many oddities.

    The seeds cover every as-of of the generator, two of them inside a day.
    """
    _assert_marts_agree(warehouse, seeded(seed))


@FEW
@given(rows=landings())
def test_revenue_and_usage_agree_on_small_landings(warehouse: Warehouse, rows: Landing) -> None:
    """Prevents the same, with an example small enough to read when it fails."""
    _assert_marts_agree(warehouse, rows)


@pytest.mark.parametrize(
    "shift",
    [
        pytest.param(timedelta(hours=-2), id="the clocks went forward yesterday"),
        pytest.param(timedelta(hours=-1), id="billed at local midnights of the winter"),
        pytest.param(timedelta(days=-154, hours=-1), id="the clocks went back yesterday"),
    ],
)
def test_revenue_and_usage_agree_in_a_zone_with_summer_time(
    warehouse: Warehouse, shift: timedelta
) -> None:
    """Prevents days of 24 hours: yesterday had 23 or 25 of them, with sessions and movements."""
    rows = next(r for r in map(seeded, range(40)) if r.as_of == datetime(2024, 4, 1, tzinfo=UTC))
    _assert_marts_agree(warehouse, shifted(rows, shift), zone="Europe/Berlin")


@pytest.mark.parametrize(
    "merges",
    [("ca", "ab"), ("ab", "ba"), ("ab", "bx"), ("cc", "ab"), ("ag", "gb"), ("gb",)],
    ids=" ".join,
)
def test_the_survivor_of_a_merge_has_both_histories(
    warehouse: Warehouse, merges: tuple[str, ...]
) -> None:
    """Prevents a merge that is churn here and new there, and one that is followed in a circle.

    Accounts a, b and c; g never landed but has rows, x is named by nothing else.
    """
    names = {"g": "ghost"}
    rows = seeded(3)
    told = [
        {
            "from_account_id": names.get(one[0], one[0]),
            "into_account_id": names.get(one[1], one[1]),
            "merged_at": datetime(2024, 2, 20, 9, tzinfo=UTC),
        }
        for one in merges
    ]
    _assert_marts_agree(warehouse, replace(rows, merges=told))


def _assert_marts_agree(warehouse: Warehouse, rows: Landing, *, zone: str = "UTC") -> None:
    with closing(warehouse.build(raw_tables(rows), rows.as_of, zone=zone)) as build:
        _assert_revenue_agrees(build, settled(rows), ZoneInfo(zone))
        _assert_usage_agrees(build, settled(rows), ZoneInfo(zone))


def _assert_revenue_agrees(build: duckdb.DuckDBPyConnection, rows: Landing, zone: ZoneInfo) -> None:
    books = mrr_books(rows.accounts, rows.subscriptions, rows.items, rows.as_of, zone=zone)
    movements = read_rows(build, "revenue.fct_mrr_movements")
    assert_agree(movements, books.movements, ["account_id", "moved_at", "movement", "policy"])
    monthly = read_rows(build, "revenue.fct_mrr_monthly")
    assert_agree(monthly, books.monthly, ["account_id", "month", "policy"])


def _assert_usage_agrees(build: duckdb.DuckDBPyConnection, rows: Landing, zone: ZoneInfo) -> None:
    use = (rows.accounts, rows.users, rows.events, rows.as_of)
    other = [(s["account_id"], s["started_at"]) for s in rows.subscriptions]
    daily = account_activity_daily(*use, other_dated=other, zone=zone)
    assert_agree(read_rows(build, "usage.fct_account_activity_daily"), daily, ["account_id", "day"])
    assert_agree(
        read_rows(build, "usage.account_module_usage"),
        account_module_usage(*use, zone=zone),
        ["account_id", "module"],
    )


def raw_tables(rows: Landing) -> dict[str, Rows]:
    """The landing by raw table."""
    return {
        "crm.accounts": rows.accounts,
        "crm.account_merges": rows.merges,
        "events.users": rows.users,
        "events.events": rows.events,
        "invoices.subscriptions": rows.subscriptions,
        "invoices.subscription_items": rows.items,
    }
