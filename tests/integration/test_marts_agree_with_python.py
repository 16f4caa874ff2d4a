"""The marts against their re-computation in plain Python, on generated landings."""

from collections.abc import Mapping, Sequence
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
from tests.recompute.books import Landing, landings, seeded, seeded_books, shifted
from tests.recompute.ledgers import ledger
from tests.recompute.merges import settled
from tests.recompute.policies import ODD, SHIPPED, Policy
from tests.recompute.revenue import policy_books

MRR_MARTS = (
    "fct_mrr_movements",
    "fct_mrr_monthly",
    "fct_mrr_monthly_by_currency",
    "mrr_policy_bridge",
)
MARTS = (*MRR_MARTS, "fct_account_activity_daily", "account_module_usage")
FEW = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.parametrize("seed", range(5))
def test_revenue_and_usage_agree_on_a_big_landing(warehouse: Warehouse, seed: int) -> None:
    """Prevents any wrong number in a mart of revenue or usage that shows up among many oddities.

    The seeds cover every as-of of the generator, two of them inside a day. All other marts are made
    as well, and have to keep their contracts.
    """
    _assert_marts_agree(warehouse, seeded(seed))


@FEW
@given(rows=landings())
def test_revenue_and_usage_agree_on_small_landings(warehouse: Warehouse, rows: Landing) -> None:
    """Prevents the same, with an example small enough to read when it fails."""
    _assert_marts_agree(warehouse.only(*MARTS), rows)


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
    _assert_marts_agree(warehouse.only(*MARTS), shifted(rows, shift), zone="Europe/Berlin")


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
    _assert_marts_agree(warehouse.only(*MARTS), replace(rows, merges=told))


@pytest.mark.parametrize("policies", [SHIPPED, ODD], ids=["shipped", "odd"])
@pytest.mark.parametrize("seed", range(4))
def test_books_of_hundreds_of_accounts_agree_by_every_policy(
    warehouse: Warehouse, seed: int, policies: Sequence[Policy]
) -> None:
    """Prevents a wrong number by any policy: pauses, discounts, currencies, moves, usage."""
    _assert_books_agree(warehouse.only(*MRR_MARTS), seeded_books(seed), policies)


@FEW
@given(rows=landings(visits=0))
def test_small_books_agree_by_odd_policies(warehouse: Warehouse, rows: Landing) -> None:
    """Prevents the same, small enough to read."""
    _assert_books_agree(warehouse.only(*MRR_MARTS), rows, ODD)


def test_books_agree_in_a_zone_with_summer_time(warehouse: Warehouse) -> None:
    """Prevents months, periods and days of a rate that begin at midnights of UTC."""
    rows = shifted(seeded_books(5), timedelta(hours=-1))
    _assert_books_agree(warehouse.only(*MRR_MARTS), rows, SHIPPED, zone="Europe/Berlin")


def _assert_books_agree(
    warehouse: Warehouse, rows: Landing, policies: Sequence[Policy], *, zone: str = "UTC"
) -> None:
    seeds = _seeds(rows, policies)
    with closing(warehouse.build(raw_tables(rows), rows.as_of, zone=zone, seeds=seeds)) as build:
        _assert_revenue_agrees(build, settled(rows), ZoneInfo(zone), policies)


def _assert_marts_agree(warehouse: Warehouse, rows: Landing, *, zone: str = "UTC") -> None:
    seeds = _seeds(rows, SHIPPED)
    with closing(warehouse.build(raw_tables(rows), rows.as_of, zone=zone, seeds=seeds)) as build:
        _assert_revenue_agrees(build, settled(rows), ZoneInfo(zone), SHIPPED)
        _assert_usage_agrees(build, settled(rows), ZoneInfo(zone))


def _seeds(rows: Landing, policies: Sequence[Policy]) -> Mapping[str, Rows]:
    return {
        "mrr_policies": [policy.row() for policy in policies],
        "billing_migrations": rows.migrations,
    }


def _assert_revenue_agrees(
    build: duckdb.DuckDBPyConnection, rows: Landing, zone: ZoneInfo, policies: Sequence[Policy]
) -> None:
    books = policy_books(ledger(rows, zone), policies)
    account_month = ["account_id", "month", "policy"]
    for mart, plain, key in (
        ("fct_mrr_movements", books.movements, ["account_id", "moved_at", "movement", "policy"]),
        ("fct_mrr_monthly", books.monthly, account_month),
        ("fct_mrr_monthly_by_currency", books.by_currency, [*account_month, "currency"]),
        ("mrr_policy_bridge", books.bridge, [*account_month, "compared_policy"]),
    ):
        assert_agree(read_rows(build, f"revenue.{mart}"), plain, key)


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
        "invoices.subscription_changes": rows.changes,
        "invoices.discounts": rows.discounts,
        "invoices.fx_rates": rows.rates,
        "invoices.invoices": rows.invoices,
        "invoices.invoice_lines": rows.lines,
    }
