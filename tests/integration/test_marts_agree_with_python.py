"""The marts against their re-computation in plain Python, on generated landings."""

from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings

from tests.integration.agreement import assert_agree
from tests.integration.compiled_warehouse import Rows, Warehouse, read_rows
from tests.recompute.activity import account_activity_daily, account_module_usage
from tests.recompute.books import Landing, landings, seeded
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


def _assert_marts_agree(warehouse: Warehouse, rows: Landing) -> None:
    with closing(warehouse.build(raw_tables(rows), rows.as_of)) as build:
        books = mrr_books(rows.accounts, rows.subscriptions, rows.items, rows.as_of)
        movements = read_rows(build, "revenue.fct_mrr_movements")
        assert_agree(movements, books.movements, ["account_id", "moved_at", "movement", "policy"])
        monthly = read_rows(build, "revenue.fct_mrr_monthly")
        assert_agree(monthly, books.monthly, ["account_id", "month", "policy"])
        assert_agree(
            read_rows(build, "usage.fct_account_activity_daily"),
            account_activity_daily(
                rows.accounts,
                rows.users,
                rows.events,
                rows.as_of,
                other_dated=[(s["account_id"], s["started_at"]) for s in rows.subscriptions],
            ),
            ["account_id", "day"],
        )
        assert_agree(
            read_rows(build, "usage.account_module_usage"),
            account_module_usage(rows.accounts, rows.users, rows.events, rows.as_of),
            ["account_id", "module"],
        )


def raw_tables(rows: Landing) -> dict[str, Rows]:
    """The landing by raw table."""
    return {
        "crm.accounts": rows.accounts,
        "events.users": rows.users,
        "events.events": rows.events,
        "invoices.subscriptions": rows.subscriptions,
        "invoices.subscription_items": rows.items,
    }
