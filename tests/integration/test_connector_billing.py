"""Recurly's connector tables as they are; Chargebee's and Recurly's objects by their references."""

from decimal import Decimal
from pathlib import Path

import pytest

from tests.integration.connectors import CONNECTORS, Landed, land, needs_data

RECURLY = CONNECTORS / "recurly"
TABLES = (
    "subscription_history", "plan_history", "invoice_history", "invoice_subscription_history",
    "line_item_history", "transaction",
)  # fmt: skip


@pytest.fixture(scope="module")
def recurly(tmp_path_factory: pytest.TempPathFactory) -> Landed:
    files = {f"invoices/{name}/{name}.csv": RECURLY / f"{name}_data.csv" for name in TABLES}
    return land(tmp_path_factory.mktemp("recurly"), "recurly", files)


@needs_data
def test_every_row_of_recurlys_tables_is_loaded(recurly: Landed) -> None:
    """Rows set aside for a word or a name that the profile does not know.

    Of five transactions three verify a card and pay nothing; no invoice is a credit.
    """
    assert recurly.counts() == {
        "invoices.subscriptions": (5, 0, 0),
        "invoices.subscription_items": (5, 0, 0),
        "invoices.invoices": (5, 0, 0),
        "invoices.invoice_lines": (5, 0, 0),
        "invoices.payments": (2, 0, 0),
        "invoices.credit_notes": (0, 0, 0),
    }


@needs_data
def test_recurlys_subscriptions_with_the_interval_of_their_plan(recurly: Landed) -> None:
    """Two versions of a subscription taken for one, add-ons left out, a plan's interval lost."""
    assert recurly.rows(
        "select subscription_id, status, started_at::varchar, ended_at::varchar, "
        "trial_ends_at::varchar, updated_at::varchar from invoices.subscriptions "
        "where subscription_id in ('99b1bc4097d247c10c89dc71d41f8046', "
        "'2900cfb1daef789cc21ea100ff6af6e9', 'bcd3f1f36bd98895b5336e067049364b') order by 1, 6"
    ) == [
        ("2900cfb1daef789cc21ea100ff6af6e9", "active", "2015-02-11 08:20:38+00", None, None,
         "2022-07-11 08:23:42+00"),
        ("2900cfb1daef789cc21ea100ff6af6e9", "active", "2015-02-11 08:20:38+00", None, None,
         "2022-08-11 08:20:39+00"),
        ("99b1bc4097d247c10c89dc71d41f8046", "cancelled", "2019-03-26 09:28:17+00",
         "2019-03-26 09:37:26+00", None, "2019-03-26 09:37:26+00"),
        ("bcd3f1f36bd98895b5336e067049364b", "active", "2015-02-13 09:31:52+00", None,
         "2015-02-20 09:31:52+00", "2022-07-20 09:32:53+00"),
    ]  # fmt: skip
    # 2,999 for the plan and 2,597 for its add-ons.
    assert recurly.rows(
        "select item_id, product, price, quantity, interval, interval_count "
        "from invoices.subscription_items where price > 99"
    ) == [
        ("bcd3f1f36bd98895b5336e067049364b", "455b18e9a39e782da54de395edb6b566", Decimal(5596), 1,
         "month", 1),
    ]  # fmt: skip


@needs_data
def test_recurlys_invoices_lines_and_payments(recurly: Landed) -> None:
    """An invoice without its subscription, a credit that adds, a payment that was void."""
    assert recurly.rows(
        "select invoice_id, subscription_id, number, status, total_amount, paid_at::varchar "
        "from invoices.invoices where number in ('1000', '1006') order by number"
    ) == [
        ("9cf0c438f9aae30659b45bd7fa7ebdec", None, "1000", "paid", Decimal(5),
         "2015-02-11 08:19:59+00"),
        ("eafb2d1555e2841c963c0a17bf020970", "2900cfb1daef789cc21ea100ff6af6e9", "1006", "paid",
         Decimal(99), "2015-04-11 08:21:01+00"),
    ]  # fmt: skip
    assert recurly.rows(
        "select kind, amount, period_start_at::varchar from invoices.invoice_lines "
        "where invoice_id = '9cf0c438f9aae30659b45bd7fa7ebdec' order by amount"
    ) == [
        ("one_time", Decimal(-5), "2015-02-11 02:09:45+00"),
        ("one_time", Decimal(10), "2015-02-11 02:06:02+00"),
    ]
    assert recurly.rows(
        "select amount, status, paid_at::varchar from invoices.payments order by amount"
    ) == [
        (Decimal(5), "succeeded", "2015-02-11 08:19:59+00"),
        (Decimal(100), "voided", "2019-03-18 11:14:35+00"),
    ]


def test_recurlys_objects_credits_refunds_and_redemptions(tmp_path: Path) -> None:
    """A refund with the sign of a payment, a credit counted as an invoice, a coupon lost."""
    invoice = {
        "id": "i1",
        "object": "invoice",
        "type": "charge",
        "account": {"id": "a1"},
        "state": "past_due",
        "number": "2001",
        "currency": "EUR",
        "total": 119.0,
        "subtotal": 100.0,
        "discount": 0.0,
        "tax": 19.0,
        "created_at": "2024-01-01T00:00:00Z",
        "due_at": "2024-01-15T00:00:00Z",
    }
    payment = {
        "id": "t1",
        "type": "purchase",
        "account": {"id": "a1"},
        "invoice": {"id": "i1"},
        "currency": "EUR",
        "amount": 119.0,
        "status": "success",
        "created_at": "2024-01-02T00:00:00Z",
    }
    landed = land(
        tmp_path,
        "recurly",
        {
            "invoices/subscription/s.jsonl": [
                {"id": "s1", "account": {"id": "a1"}, "plan": {"id": "p1", "code": "gold"},
                 "state": "canceled", "currency": "EUR", "unit_amount": 10.0,
                 "quantity": 10, "subtotal": 100.0, "activated_at": "2024-01-01T00:00:00Z",
                 "canceled_at": "2024-01-10T00:00:00Z", "expires_at": "2025-01-01T00:00:00Z",
                 "updated_at": "2024-01-10T00:00:00Z"},
            ],
            "invoices/plan/p.jsonl": [
                {"id": "p1", "code": "gold", "interval_unit": "months", "interval_length": 12,
                 "updated_at": "2024-01-01T00:00:00Z"},
                {"id": "p1", "code": "gold", "interval_unit": "months", "interval_length": 1,
                 "updated_at": "2023-01-01T00:00:00Z"},
            ],
            "invoices/invoice/i.jsonl": [
                invoice,
                invoice | {"id": "i2", "type": "credit", "previous_invoice_id": "i1",
                           "total": -11.9, "origin": "refund"},
            ],
            "invoices/invoice_subscription_history/x.csv": "invoice_id,subscription_id\ni1,s1\n",
            "invoices/transaction/t.jsonl": [
                payment,
                payment | {"id": "t2", "type": "refund", "amount": 11.9},
                payment | {"id": "t3", "type": "verify", "amount": 0.0},
            ],
            "invoices/coupon_redemption/r.jsonl": [
                {"id": "r1", "subscription_id": "s1", "currency": "EUR", "state": "active",
                 "created_at": "2024-01-01T00:00:00Z", "removed_at": None,
                 "coupon": {"id": "c1", "duration": "single_use",
                            "discount": {"type": "percent", "percent": 20}}},
            ],
        },
    )  # fmt: skip
    assert landed.counts() == {
        "invoices.subscriptions": (1, 0, 0),
        "invoices.subscription_items": (1, 0, 0),
        "invoices.discounts": (1, 0, 0),
        "invoices.invoices": (1, 0, 0),
        "invoices.payments": (2, 0, 0),
        "invoices.credit_notes": (1, 0, 0),
    }
    assert landed.rows(
        "select status, plan, cancelled_at::varchar, cancel_at::varchar from invoices.subscriptions"
    ) == [("active", "gold", "2024-01-10 00:00:00+00", "2025-01-01 00:00:00+00")]
    assert landed.rows(
        "select price, interval, interval_count from invoices.subscription_items"
    ) == [(Decimal(100), "month", 12)]
    assert landed.rows(
        "select account_id, subscription_id, status, tax_amount from invoices.invoices"
    ) == [("a1", "s1", "open", Decimal(19))]
    assert landed.rows("select payment_id, amount from invoices.payments order by 1") == [
        ("t1", Decimal(119)), ("t2", Decimal("-11.9"))
    ]  # fmt: skip
    assert landed.rows("select invoice_id, amount, reason from invoices.credit_notes") == [
        ("i1", Decimal("11.9"), "refund")
    ]
    assert landed.rows("select subscription_id, duration, percent_off from invoices.discounts") == [
        ("s1", "once", Decimal(20))
    ]


def test_chargebees_objects(tmp_path: Path) -> None:
    """Yen by the hundred, a one-time charge or a metered item in the MRR, a refund that adds."""
    item = {"object": "subscription_item", "item_type": "plan", "quantity": 5}
    subscription = {
        "id": "cb1", "customer_id": "c1", "status": "non_renewing", "currency_code": "USD",
        "billing_period": 1, "billing_period_unit": "year", "start_date": 1_704_067_200,
        "started_at": 1_704_067_200, "created_at": 1_703_980_800, "updated_at": 1_706_745_600,
        "current_term_end": 1_735_689_600, "cancelled_at": 1_735_689_600,
        "cancel_schedule_created_at": 1_706_745_600, "deleted": False,
        "subscription_items": [
            item | {"item_price_id": "gold-USD-Y", "unit_price": 12_050},
            item | {"item_price_id": "calls", "item_type": "addon", "unit_price": 10,
                    "quantity": None, "metered_quantity": "731"},
            item | {"item_price_id": "tiered", "item_type": "addon", "unit_price": None},
            item | {"item_price_id": "setup", "item_type": "charge", "unit_price": 50_000},
        ],
        "discounts": [
            {"id": "d1", "apply_on": "invoice_amount", "duration_type": "limited_period",
             "percentage": 12.5, "created_at": 1_704_067_200, "apply_till": 1_711_929_600},
        ],
    }  # fmt: skip
    transaction = {
        "id": "t1",
        "customer_id": "c1",
        "type": "payment",
        "amount": 60_250,
        "currency_code": "USD",
        "date": 1_704_153_600,
        "status": "success",
        "linked_invoices": [{"invoice_id": "42", "applied_amount": 60_250}],
    }
    landed = land(
        tmp_path,
        "chargebee",
        {
            "invoices/subscription/s.jsonl": [
                subscription,
                subscription | {"id": "cb2", "currency_code": "JPY", "status": "in_trial",
                                "trial_end": 1_705_276_800, "cancelled_at": None, "discounts": [],
                                "billing_period_unit": "month", "subscription_items": [
                                    item | {"item_price_id": "gold-JPY-M", "unit_price": 1200}]},
            ],
            "invoices/invoice/i.jsonl": [
                {"id": "42", "customer_id": "c1", "subscription_id": "cb1", "status": "payment_due",
                 "currency_code": "USD", "date": 1_704_067_200, "due_date": 1_705_276_800,
                 "sub_total": 60_250, "tax": 0, "total": 60_250, "line_items": [
                     {"id": "li_1", "subscription_id": "cb1", "entity_type": "plan_item_price",
                      "entity_id": "gold-USD-Y", "amount": 60_250, "quantity": 5,
                      "date_from": 1_704_067_200, "date_to": 1_735_689_600},
                     {"id": "li_2", "entity_type": "adhoc", "amount": 500, "quantity": 1},
                     {"id": "li_3", "entity_type": "who_knows", "amount": 1}]},
            ],
            "invoices/transaction/t.jsonl": [
                transaction,
                transaction | {"id": "t2", "type": "refund", "amount": 250, "linked_invoices": []},
                transaction | {"id": "t3", "type": "authorization"},
            ],
            "invoices/credit_note/n.jsonl": [
                {"id": "cn1", "customer_id": "c1", "reference_invoice_id": "42", "total": 250,
                 "currency_code": "USD", "date": 1_704_240_000,
                 "create_reason_code": "Service Unsatisfactory"},
            ],
        },
    )  # fmt: skip
    assert landed.counts() == {
        "invoices.subscriptions": (2, 0, 0),
        "invoices.subscription_items": (3, 1, 0),
        "invoices.discounts": (1, 0, 0),
        "invoices.invoices": (1, 0, 0),
        "invoices.invoice_lines": (2, 1, 0),
        "invoices.payments": (2, 0, 0),
        "invoices.credit_notes": (1, 0, 0),
    }
    assert landed.reasons("invoices.subscription_items") == ["price is empty, and a row needs it"]
    assert landed.reasons("invoices.invoice_lines")[0].startswith("kind 'who_knows' is not in the")
    assert landed.rows(
        "select subscription_id, account_id, status, started_at::varchar, trial_ends_at::varchar, "
        "cancelled_at::varchar, cancel_at::varchar from invoices.subscriptions order by 1"
    ) == [
        ("cb1", "c1", "active", "2024-01-01 00:00:00+00", None, "2024-02-01 00:00:00+00",
         "2025-01-01 00:00:00+00"),
        ("cb2", "c1", "trialing", "2024-01-01 00:00:00+00", "2024-01-15 00:00:00+00",
         "2024-02-01 00:00:00+00", None),
    ]  # fmt: skip
    assert landed.rows(
        "select item_id, price, quantity, interval, is_metered from invoices.subscription_items "
        "order by 1"
    ) == [
        ("cb1|calls", Decimal("0.1"), 1, "year", True),
        ("cb1|gold-USD-Y", Decimal("120.5"), 5, "year", None),
        ("cb2|gold-JPY-M", Decimal(1200), 5, "month", None),
    ]
    assert landed.rows(
        "select duration, percent_off, valid_to::varchar from invoices.discounts"
    ) == [("repeating", Decimal("12.5"), "2024-04-01 00:00:00+00")]
    assert landed.rows("select line_id, kind, amount from invoices.invoice_lines order by 1") == [
        ("li_1", "recurring", Decimal("602.5")), ("li_2", "one_time", Decimal(5))
    ]  # fmt: skip
    assert landed.rows("select invoice_id, amount, status from invoices.payments order by 1") == [
        ("42", Decimal("602.5"), "succeeded"), (None, Decimal("-2.5"), "succeeded")
    ]  # fmt: skip
    assert landed.rows("select status, total_amount, due_on::varchar from invoices.invoices") == [
        ("open", Decimal("602.5"), "2024-01-15")
    ]
    assert landed.rows("select amount, reason from invoices.credit_notes") == [
        (Decimal("2.5"), "Service Unsatisfactory")
    ]
