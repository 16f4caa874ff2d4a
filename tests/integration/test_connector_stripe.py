"""Stripe: its API's sample objects and some of its awkward ones; the connector's tables."""

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.integration.connectors import CONNECTORS, DATA, Landed, land, needs_data

STRIPE = CONNECTORS / "stripe"
TABLES = (
    "subscription", "subscription_item", "plan", "coupon", "subscription_discount", "invoice",
    "invoice_line_item", "charge", "refund", "credit_note",
)  # fmt: skip
# The connector's table of subscriptions has no currency; its test table of invoices no creation.
SAID = """
tables:
  invoices.subscriptions: {columns: {currency: {constant: USD}}}
  invoices.invoices: {columns: {created_at: period_start}}
"""


def price(
    *, amount: str | None, currency: str, interval: str = "month", count: int = 1, **more: Any
) -> dict[str, Any]:
    """A price as the API has it."""
    recurring = {"interval": interval, "interval_count": count, "usage_type": "licensed"}
    return {
        "object": "price", "currency": currency, "product": "prod_1", "nickname": None,
        "billing_scheme": "per_unit", "unit_amount": None, "unit_amount_decimal": amount,
        "transform_quantity": None, "recurring": recurring | more.pop("recurring", {}), **more,
    }  # fmt: skip


def subscription(
    name: str, currency: str, *items: Mapping[str, Any], **more: Any
) -> dict[str, Any]:
    """A subscription with these prices and quantities, as the API has it."""
    data = [
        {"id": f"si_{name}_{n}", "object": "subscription_item", "subscription": f"sub_{name}",
         "created": 1_704_067_200, **item}
        for n, item in enumerate(items)
    ]  # fmt: skip
    return {
        "id": f"sub_{name}", "object": "subscription", "customer": f"cus_{name}",
        "status": "active", "currency": currency, "created": 1_704_067_200,
        "start_date": 1_704_067_200, "ended_at": None, "trial_end": None, "canceled_at": None,
        "cancel_at": None, "current_period_end": 1_706_745_600, "discounts": [],
        "items": {"object": "list", "data": data}, **more,
    }  # fmt: skip


SUBSCRIPTIONS = [
    subscription(
        "usd", "usd",
        {"price": price(amount="1999", currency="usd"), "quantity": 3},
        {"price": price(amount="0.5", currency="usd", recurring={"usage_type": "metered"})},
    ),
    subscription("yen", "jpy", {"price": price(amount="1200", currency="jpy", interval="year"),
                                "quantity": 2}, status="canceled", ended_at=1_719_792_000,
                 canceled_at=1_719_705_600),
    subscription("dinar", "bhd", {"price": price(amount="12345", currency="bhd", count=3),
                                  "quantity": 1}, status="trialing", trial_end=1_705_276_800),
    subscription("tiers", "usd", {"price": price(amount=None, currency="usd",
                 billing_scheme="tiered", tiers_mode="graduated"), "quantity": 7}),
    subscription("packs", "usd", {"price": price(amount="500", currency="usd",
                 transform_quantity={"divide_by": 10, "round": "up"}), "quantity": 25}),
    subscription("cut", "usd", {"price": price(amount="1000", currency="usd"), "quantity": 1},
                 discounts=["di_unexpanded", {
                     "id": "di_1", "object": "discount", "start": 1_704_067_200, "end": None,
                     "subscription_item": None,
                     "coupon": {"id": "c1", "duration": "forever", "percent_off": 25.5,
                                "amount_off": None}}, {
                     "id": "di_2", "object": "discount", "start": 1_704_067_200,
                     "end": 1_711_929_600, "subscription_item": "si_cut_0",
                     "coupon": {"id": "c2", "duration": "repeating", "percent_off": None,
                                "amount_off": 250}}]),
    subscription("old", "usd", {"price": price(amount="1000", currency="usd"), "quantity": 1},
                 discounts=["di_3"], discount={
                     "id": "di_3", "object": "discount", "start": 1_704_067_200, "end": None,
                     "coupon": {"id": "c3", "duration": "forever", "percent_off": 20.0}}),
]  # fmt: skip


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Landed:
    files = {"invoices/subscription/dt=2024-07-05/s.jsonl": SUBSCRIPTIONS}
    return land(tmp_path_factory.mktemp("stripe"), "stripe", files)


def test_prices_are_in_units_of_their_currency(objects: Landed) -> None:
    """Yen divided by a hundred, dinars by a hundred instead of a thousand, half cents lost.

    A tiered price and one per package are set aside: both cost what only their quantity tells.
    """
    assert objects.rows(
        "select item_id, subscription_id, price, quantity, interval, interval_count, is_metered, "
        "valid_from::varchar from invoices.subscription_items order by 1"
    ) == [
        ("si_cut_0", "sub_cut", Decimal(10), 1, "month", 1, False, "2024-01-01 00:00:00+00"),
        ("si_dinar_0", "sub_dinar", Decimal("12.345"), 1, "month", 3, False,
         "2024-01-01 00:00:00+00"),
        ("si_old_0", "sub_old", Decimal(10), 1, "month", 1, False, "2024-01-01 00:00:00+00"),
        ("si_usd_0", "sub_usd", Decimal("19.99"), 3, "month", 1, False, "2024-01-01 00:00:00+00"),
        ("si_usd_1", "sub_usd", Decimal("0.005"), 1, "month", 1, True, "2024-01-01 00:00:00+00"),
        ("si_yen_0", "sub_yen", Decimal(1200), 2, "year", 1, False, "2024-01-01 00:00:00+00"),
    ]  # fmt: skip
    assert sorted(objects.reasons("invoices.subscription_items")) == [
        "interval 'up' is not in the value map of profile stripe (day, week, month, year)",
        "price is empty, and a row needs it",
    ]


def test_subscriptions_and_their_instants(objects: Landed) -> None:
    """Epoch seconds taken for milliseconds; a word for the end that no model knows."""
    assert objects.counts()["invoices.subscriptions"] == (7, 0, 0)
    assert objects.rows(
        "select subscription_id, account_id, status, currency, started_at::varchar, "
        "coalesce(ended_at, trial_ends_at, current_period_end_at)::varchar "
        "from invoices.subscriptions where account_id in ('cus_usd', 'cus_yen', 'cus_dinar') "
        "order by 1"
    ) == [
        ("sub_dinar", "cus_dinar", "trialing", "bhd", "2024-01-01 00:00:00+00",
         "2024-01-15 00:00:00+00"),
        ("sub_usd", "cus_usd", "active", "usd", "2024-01-01 00:00:00+00",
         "2024-02-01 00:00:00+00"),
        ("sub_yen", "cus_yen", "cancelled", "jpy", "2024-01-01 00:00:00+00",
         "2024-07-01 00:00:00+00"),
    ]  # fmt: skip


def test_discounts_that_were_expanded(objects: Landed) -> None:
    """An amount in cents, a discount of one item on all of them, an id that is lost unseen.

    Before 2025 one discount's object stood beside the ids, expanded or not.
    """
    assert objects.rows(
        "select discount_id, subscription_id, item_id, duration, percent_off, amount_off, "
        "valid_to::varchar from invoices.discounts order by 1"
    ) == [
        ("di_1", "sub_cut", None, "forever", Decimal("25.5"), None, None),
        ("di_2", "sub_cut", "si_cut_0", "repeating", None, Decimal("2.5"),
         "2024-04-01 00:00:00+00"),
        ("di_3", "sub_old", None, "forever", Decimal(20), None, None),
    ]  # fmt: skip
    assert objects.counts()["invoices.discounts"] == (3, 1, 0)


@pytest.mark.parametrize("beside", [{}, {"discounts": None}], ids=["alone", "beside null"])
def test_a_discount_that_stands_without_ids(tmp_path: Path, beside: dict[str, Any]) -> None:
    """Extracts of an API from before `discounts`, whose customers would seem to pay in full."""
    old = {k: v for k, v in SUBSCRIPTIONS[-1].items() if k != "discounts"} | beside
    landed = land(tmp_path, "stripe", {"invoices/subscription/dt=2024-07-05/s.jsonl": [old]})
    assert landed.rows("select discount_id from invoices.discounts") == [("di_3",)]


def test_payments_and_their_refunds(tmp_path: Path) -> None:
    """A refund that adds to what was paid, or without its charge's customer; money not taken."""
    charge = {
        "id": "ch_1",
        "object": "charge",
        "amount": 2500,
        "currency": "eur",
        "status": "succeeded",
        "customer": "cus_1",
        "invoice": "in_1",
        "created": 1_704_067_200,
    }
    refund = {
        "id": "re_1",
        "object": "refund",
        "amount": 500,
        "currency": "eur",
        "status": "succeeded",
        "charge": "ch_1",
        "created": 1_704_153_600,
    }
    landed = land(
        tmp_path,
        "stripe",
        {
            "invoices/charge/c.jsonl": [
                charge,
                charge | {"id": "ch_2", "amount": 700, "currency": "jpy", "status": "failed",
                          "customer": None, "invoice": None},
                charge | {"id": "ch_3", "captured": True, "amount_captured": 1900},
            ],
            "invoices/refund/r.jsonl": [refund],
        },
    )  # fmt: skip
    assert landed.counts() == {"invoices.payments": (4, 0, 0)}
    assert landed.rows(
        "select payment_id, account_id, invoice_id, currency, amount, paid_at::varchar, status "
        "from invoices.payments order by 1"
    ) == [
        ("ch_1", "cus_1", "in_1", "eur", Decimal(25), "2024-01-01 00:00:00+00", "succeeded"),
        ("ch_2", "(none)", None, "jpy", Decimal(700), "2024-01-01 00:00:00+00", "failed"),
        ("ch_3", "cus_1", "in_1", "eur", Decimal(19), "2024-01-01 00:00:00+00", "succeeded"),
        ("re_1", "cus_1", "in_1", "eur", Decimal(-5), "2024-01-02 00:00:00+00", "succeeded"),
    ]


@needs_data
def test_the_apis_sample_objects(tmp_path: Path) -> None:
    """An object of the API's own specification that the profile cannot read.

    The sample of a subscription has a price per package of 1,592,560,163: it is set aside. That
    of a charge was authorised and not captured. An invoice has several taxes and discounts.
    """
    said = json.loads((DATA / "api" / "stripe" / "fixtures3.json").read_text())["resources"]
    kinds = ("subscription", "invoice", "charge", "refund", "credit_note")
    files = {f"invoices/{kind}/{kind}.jsonl": [said[kind]] for kind in kinds}
    parts = {
        "total_taxes": [{"amount": 150}, {"amount": 50}],
        "total_discount_amounts": [
            {"amount": 70, "discount": "di_1"},
            {"amount": 30, "discount": "di_2"},
        ],
    }
    files["invoices/invoice/invoice.jsonl"] += [
        said["invoice"] | parts | {"id": "in_2", "lines": {"data": []}}
    ]
    landed = land(tmp_path, "stripe", files)
    assert landed.counts() == {
        "invoices.subscriptions": (1, 0, 0),
        "invoices.subscription_items": (0, 1, 0),
        "invoices.discounts": (0, 0, 0),
        "invoices.invoices": (2, 0, 0),
        "invoices.invoice_lines": (1, 0, 0),
        "invoices.payments": (2, 0, 0),
        "invoices.credit_notes": (1, 0, 0),
    }
    assert landed.rows(
        "select account_id, status, total_amount, currency, created_at::varchar, due_on::varchar "
        "from invoices.invoices where tax_amount is null and discount_amount is null"
    ) == [
        ("cus_QXg1o8vcGmoR32", said["invoice"]["status"], Decimal(10), "usd",
         "2009-02-13 23:31:30+00", "2009-02-13"),
    ]  # fmt: skip
    assert landed.rows(
        "select line_id, invoice_id, kind, quantity, amount, period_start_at::varchar "
        "from invoices.invoice_lines"
    ) == [
        ("il_1Pgc6sB7WZ01zgkWFnxLrLCq", "in_1Pgc6tB7WZ01zgkWu9fdqL6I", "one_time", 1,
         Decimal(10), "2024-07-26 00:34:14+00"),
    ]  # fmt: skip
    assert landed.rows(
        "select tax_amount, discount_amount from invoices.invoices where invoice_id = 'in_2'"
    ) == [(2, 1)]
    assert landed.rows("select amount from invoices.payments order by 1") == [(-1,), (0,)]
    assert landed.rows("select account_id, invoice_id, amount from invoices.credit_notes") == [
        ("cus_QXg1o8vcGmoR32", "in_1Pgc75B7WZ01zgkWYv4iMwt7", Decimal("16.9"))
    ]


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Landed:
    files: dict[str, Any] = {
        f"invoices/{name}/{name}.csv": STRIPE / f"{name}_data.csv" for name in TABLES
    }
    files["invoices/coupon/more.csv"] = (
        "id,amount_off,created,currency,duration,percent_off,_fivetran_synced\n"
        "coupon_test1,1500,2022-01-01 00:00:00,jpy,repeating,,2024-01-01 00:00:00\n"
    )
    return land(tmp_path_factory.mktemp("stripe_tables"), "stripe_tables", files, more=SAID)


@needs_data
def test_rows_of_the_connectors_tables_are_loaded_or_set_aside_with_a_reason(
    tables: Landed,
) -> None:
    """Rows set aside for a name that the profile does not know.

    One item's plan and one discount's coupon are not there; no line has a type.
    """
    assert tables.counts() == {
        "invoices.subscriptions": (2, 0, 0),
        "invoices.subscription_items": (13, 1, 0),
        "invoices.discounts": (2, 1, 0),
        "invoices.invoices": (2, 0, 0),
        "invoices.invoice_lines": (0, 3, 0),
        "invoices.payments": (20, 0, 0),
        "invoices.credit_notes": (2, 0, 0),
    }
    assert tables.reasons("invoices.subscription_items") == ["product is empty, and a row needs it"]
    assert tables.reasons("invoices.discounts") == ["duration is empty, and a row needs it"]
    assert set(tables.reasons("invoices.invoice_lines")) == {"kind is empty, and a row needs it"}


@needs_data
def test_an_items_price_is_its_plans(tables: Landed) -> None:
    """A price in cents, or per month where the plan says six of them."""
    assert tables.rows(
        "select subscription_id, product, price, quantity, interval, interval_count "
        "from invoices.subscription_items "
        "where subscription_id in ('sdgfs4536', 'sdfg5638', 'sdfg5639') order by price"
    ) == [
        ("sdgfs4536", "prod_BUZaPcD5jIhqAG", Decimal(1500), 1, "month", 1),
        ("sdfg5638", "prod_BUonomUNsdG3qx", Decimal(1800), 3, "month", 6),
        ("sdfg5639", "prod_BUo1nHP2vIrVtF", Decimal("2640.3"), 2, "month", 3),
    ]
    assert tables.rows(
        "select subscription_id, account_id, plan, status, started_at::varchar, "
        "cancel_at::varchar from invoices.subscriptions order by 1"
    ) == [
        ("sdgfs4536", "sdf6547", "zb1", "active", "2021-02-18 14:16:37+00",
         "2021-02-19 14:16:37+00"),
        ("sfjytkyu876", "123fsdf", "ab2", "active", "2021-02-18 14:16:37+00",
         "2021-02-19 14:16:37+00"),
    ]  # fmt: skip
    assert tables.rows(
        "select discount_id, duration, amount_off, currency, valid_to::varchar "
        "from invoices.discounts order by 1"
    ) == [
        ("di_test1", "repeating", Decimal(1500), "jpy", "2023-09-19 05:50:07+00"),
        ("di_test3", "repeating", Decimal(1500), "jpy", "2024-01-20 12:00:00+00"),
    ]


@needs_data
def test_charges_and_refunds_of_the_connector(tables: Landed) -> None:
    """Cents as dollars, a refund with the sign of a payment."""
    assert tables.rows(
        "select payment_id, account_id, amount, status, paid_at::varchar from invoices.payments "
        "where payment_id in ('ch_0IMDAfig6peNXzgDJYQKfT3B', 're_0INhCiig6peNXzgDWw7VVan8') "
        "order by 1"
    ) == [
        ("ch_0IMDAfig6peNXzgDJYQKfT3B", "cus_IRb688lkE0TnTM", Decimal("32932.32"), "failed",
         "2021-02-18 14:07:57+00"),
        ("re_0INhCiig6peNXzgDWw7VVan8", "(none)", Decimal("-136.5"), "succeeded",
         "2021-02-22 16:24:12+00"),
    ]  # fmt: skip
    assert tables.rows(
        "select sum(amount) filter (where amount < 0), count(*) from invoices.payments"
    ) == [(Decimal("-23914.21"), 20)]
    assert tables.rows("select invoice_id, amount from invoices.credit_notes order by 1") == [
        ("in_1IPp7kCLA0Q", Decimal(1)), ("in_1J7DINLdeVo", Decimal("0.5"))
    ]  # fmt: skip
