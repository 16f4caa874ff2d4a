"""The marts about invoices against their re-computation in plain Python, on generated landings."""

from contextlib import closing
from datetime import tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings

from tests.integration.agreement import assert_agree
from tests.integration.compiled_warehouse import Warehouse, read_rows
from tests.recompute.account_revenue import account_revenue
from tests.recompute.invoice_books import InvoiceLanding, invoice_landings, seeded_invoices
from tests.recompute.invoice_marts import (
    books_of,
    fct_invoices,
    fct_revenue_monthly,
    receivables_monthly,
)
from tests.recompute.invoice_world import world_of
from tests.recompute.mrr_reconciliation import mrr_reconciliation_monthly

MARTS = (
    "fct_invoices",
    "fct_revenue_monthly",
    "receivables_monthly",
    "mrr_reconciliation_monthly",
    "account_revenue",
)
FEW = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.parametrize("seed", range(4))
def test_invoices_agree_on_a_big_landing(warehouse: Warehouse, seed: int) -> None:
    """Prevents any wrong number of an invoice, its revenue or what is owed, among many oddities."""
    _assert_invoices_agree(warehouse, seeded_invoices(seed))


@FEW
@given(rows=invoice_landings())
def test_invoices_agree_on_small_landings(warehouse: Warehouse, rows: InvoiceLanding) -> None:
    """Prevents the same, with an example small enough to read when it fails."""
    _assert_invoices_agree(warehouse, rows)


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
def test_invoices_agree_in_another_zone(warehouse: Warehouse, zone: str) -> None:
    """Prevents an invoice of a month's first hours that counts in the month of UTC."""
    _assert_invoices_agree(warehouse, seeded_invoices(7, invoices=150), zone=ZoneInfo(zone))


def _assert_invoices_agree(
    warehouse: Warehouse, rows: InvoiceLanding, *, zone: tzinfo | None = None
) -> None:
    world = world_of(rows) if zone is None else world_of(rows, zone)
    books = books_of(world)
    made = warehouse.only(*MARTS)
    name = "UTC" if zone is None else str(zone)
    with closing(made.build(rows.raw_tables(), rows.as_of, zone=name)) as build:
        mrr = read_rows(build, "revenue.fct_mrr_monthly")
        stretches = read_rows(build, "intermediate.int_subscription_item_amounts")
        subscriptions = read_rows(build, "revenue.fct_subscriptions")
        marts = {name: read_rows(build, f"revenue.{name}") for name in MARTS}
    monthly = ["account_id", "month"]
    assert_agree(marts["fct_invoices"], fct_invoices(books), ["invoice_id"])
    assert_agree(marts["fct_revenue_monthly"], fct_revenue_monthly(books), monthly)
    assert_agree(marts["receivables_monthly"], receivables_monthly(books), monthly)
    reconciled = mrr_reconciliation_monthly(books, mrr, stretches)
    assert_agree(marts["mrr_reconciliation_monthly"], reconciled, monthly)
    plain = account_revenue(books, mrr, subscriptions)
    assert_agree(marts["account_revenue"], plain, ["account_id"])
