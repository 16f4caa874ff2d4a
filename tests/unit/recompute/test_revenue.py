"""Golden cases of the plain re-computation of MRR, each worked out by hand."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.recompute.revenue import Books, month_amount, mrr_books

AS_OF = datetime(2024, 7, 1, tzinfo=UTC)


def at(month: int, day: int, hour: int = 0, year: int = 2024) -> datetime:
    return datetime(year, month, day, hour, tzinfo=UTC)


def account(created: datetime | None = None, **more: Any) -> dict[str, Any]:
    return {"account_id": "a", "created_at": created or at(1, 1)} | more


def subscription(start: datetime, number: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "subscription_id": f"s{number}",
        "account_id": "a",
        "status": "active",
        "currency": "USD",
        "started_at": start,
    } | more


def item(start: datetime, price: str, number: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "item_id": f"i{number}",
        "subscription_id": f"s{number}",
        "price": Decimal(price),
        "quantity": Decimal(1),
        "interval": "month",
        "interval_count": 1,
        "valid_from": start,
    } | more


def books(
    subscriptions: list[dict[str, Any]],
    items: list[dict[str, Any]],
    as_of: datetime = AS_OF,
    who: dict[str, Any] | None = None,
) -> Books:
    return mrr_books([who or account()], subscriptions, items, as_of)


def moves(found: Books) -> list[tuple[str, datetime, str]]:
    return [(m["movement"], m["moved_at"], str(m["amount"])) for m in found.movements]


def column(found: Books, name: str) -> list[str]:
    return [str(row[name]) for row in found.monthly]


@pytest.mark.parametrize(
    ("price", "quantity", "interval", "count", "amount"),
    [
        ("1200", 1, "year", 1, "100.00"),
        ("100", 1, "year", 1, "8.33"),  # 8.333…
        ("200", 1, "year", 1, "16.67"),  # 16.666…
        ("0.125", 1, "month", 1, "0.12"),  # a half goes to the even cent, down here
        ("0.375", 1, "month", 1, "0.38"),  # and up here
        ("0.005", 3, "month", 1, "0.02"),  # 0.015: rounded after the quantity, not before
        ("10", 1, "week", 1, "43.33"),  # 520 / 12
        ("10", 1, "day", 1, "304.17"),  # 3650 / 12 = 304.1666…
        ("30", 1, "month", 3, "10.00"),
        ("24", 2, "year", 2, "2.00"),
        ("7", 1, "month", None, "7.00"),
        ("0", 5, "month", 1, "0.00"),
    ],
)
def test_an_item_pays_a_month_by_its_interval(
    price: str, quantity: int, interval: str, count: int | None, amount: str
) -> None:
    """A factor of 30 days or 4 weeks, money in floats, or a cent rounded half up or twice."""
    assert str(month_amount(price, quantity, interval, count)) == amount


def test_annual_1200_started_mid_month_is_new_that_month() -> None:
    """A start that is spread over days, or that counts from the next month on."""
    start = at(2, 15, 9)
    found = books([subscription(start)], [item(start, "1200", interval="year")], at(4, 1))
    assert moves(found) == [("new", start, "100.00")]
    assert [row["month"] for row in found.monthly] == [date(2024, m, 1) for m in (1, 2, 3)]
    assert column(found, "starting_mrr") == ["0.00", "0.00", "100.00"]
    assert column(found, "new_mrr") == ["0.00", "100.00", "0.00"]
    assert column(found, "ending_mrr") == ["0.00", "100.00", "100.00"]


def test_who_starts_on_a_first_is_new_in_that_month_and_who_ends_on_one_churns_in_it() -> None:
    """The month's first instant counted on the wrong side."""
    row = subscription(at(2, 1), ended_at=at(4, 1))
    found = books([row], [item(at(2, 1), "50")], at(5, 1))
    assert moves(found) == [("new", at(2, 1), "50.00"), ("churn", at(4, 1), "50.00")]
    assert column(found, "ending_mrr") == ["0.00", "50.00", "50.00", "0.00"]
    assert column(found, "starting_mrr") == ["0.00", "0.00", "50.00", "50.00"]
    # The literal definition: active at the first instant itself.
    assert column(found, "subscription_mrr") == ["0.00", "50.00", "50.00", "0.00"]
    assert column(found, "churn_mrr") == ["0.00", "0.00", "0.00", "50.00"]


def test_annual_100_to_annual_200_expands_by_the_difference_of_rounded_balances() -> None:
    """8.34, and not the 8.33 that rounding the difference gives: the identity would miss a cent."""
    items = [
        item(at(1, 1), "100", interval="year", valid_to=at(3, 15)),
        item(at(3, 15), "200", interval="year"),
    ]
    found = books([subscription(at(1, 1))], items)
    assert moves(found) == [("new", at(1, 1), "8.33"), ("expansion", at(3, 15), "8.34")]


def test_monthly_to_annual_keeps_the_history_at_its_own_interval() -> None:
    """Today's interval read back into the past. 120 a month, then 1,200 a year: 20 less."""
    items = [
        item(at(1, 10), "120", valid_to=at(4, 10)),
        item(at(4, 10), "1200", interval="year"),
    ]
    found = books([subscription(at(1, 10))], items)
    assert moves(found) == [("new", at(1, 10), "120.00"), ("contraction", at(4, 10), "20.00")]
    assert column(found, "ending_mrr") == ["120.00"] * 3 + ["100.00"] * 3


def test_a_renewal_at_one_instant_moves_nothing() -> None:
    """Churn and new at each renewal."""
    rows = [subscription(at(1, 5), ended_at=at(3, 5)), subscription(at(3, 5), 2)]
    found = books(rows, [item(at(1, 5), "80"), item(at(3, 5), "80", 2)])
    assert moves(found) == [("new", at(1, 5), "80.00")]


def test_losing_one_of_two_subscriptions_is_contraction() -> None:
    """A customer who still pays, counted as lost; a second subscription counted as new."""
    rows = [subscription(at(1, 5)), subscription(at(2, 5), 2, ended_at=at(5, 20))]
    found = books(rows, [item(at(1, 5), "80"), item(at(2, 5), "30", 2)])
    assert moves(found) == [
        ("new", at(1, 5), "80.00"),
        ("expansion", at(2, 5), "30.00"),
        ("contraction", at(5, 20), "30.00"),
    ]


@pytest.mark.parametrize("back", [at(3, 20), at(4, 1), at(6, 30, 23)])
def test_who_comes_back_is_reactivated_and_new_only_once(back: datetime) -> None:
    """New twice; also the return in the month of the churn."""
    rows = [subscription(at(1, 5), ended_at=at(3, 5)), subscription(back, 2)]
    found = books(rows, [item(at(1, 5), "80"), item(back, "90", 2)])
    assert moves(found) == [
        ("new", at(1, 5), "80.00"),
        ("churn", at(3, 5), "80.00"),
        ("reactivation", back, "90.00"),
    ]


def test_new_and_churn_in_one_month_are_two_rows() -> None:
    """Netted over the month, nobody ever came."""
    found = books([subscription(at(2, 3), ended_at=at(2, 20))], [item(at(2, 3), "9")], at(3, 1))
    assert moves(found) == [("new", at(2, 3), "9.00"), ("churn", at(2, 20), "9.00")]
    february = found.monthly[1]
    assert (february["new_mrr"], february["churn_mrr"]) == (Decimal(9), Decimal(9))
    assert february["ending_mrr"] == 0


def test_a_trial_is_pipeline_until_it_ends_and_new_then() -> None:
    """MRR from the first day of a trial. The trial ends on 1 March: February's pipeline has it."""
    row = subscription(at(2, 16), trial_ends_at=at(3, 1))
    found = books([row], [item(at(2, 16), "40")], at(4, 1))
    assert moves(found) == [("new", at(3, 1), "40.00")]
    assert column(found, "trial_pipeline_mrr") == ["0.00", "40.00", "0.00"]
    assert column(found, "ending_mrr") == ["0.00", "0.00", "40.00"]


def test_a_trial_that_does_not_convert_never_pays() -> None:
    """A lost trial counted as new and churn."""
    row = subscription(at(2, 10), trial_ends_at=at(2, 24), ended_at=at(2, 24), status="canceled")
    found = books([row], [item(at(2, 10), "40")], at(4, 1))
    assert found.movements == []
    assert column(found, "trial_pipeline_mrr") == ["0.00", "0.00", "0.00"]


@pytest.mark.parametrize("status", ["Paused", "unpaid", "INCOMPLETE", "incomplete_expired"])
def test_what_nobody_pays_for_counts_nothing(status: str) -> None:
    """A paused subscription in MRR, or the trial of one in the pipeline; statuses in any case."""
    row = subscription(at(2, 10), trial_ends_at=at(2, 20), status=status)
    found = books([row], [item(at(2, 10), "40")])
    assert found.movements == []
    assert set(column(found, "trial_pipeline_mrr")) == {"0.00"}


def test_a_trialing_subscription_is_pipeline_as_long_as_it_is_in_force() -> None:
    """Its trial end lies ahead, and so does the money."""
    row = subscription(at(6, 20), trial_ends_at=at(7, 4), status="Trialing")
    found = books([row], [item(at(6, 20), "40")])
    assert found.movements == []
    assert column(found, "trial_pipeline_mrr")[-1] == "40.00"


def test_a_scheduled_end_is_a_plan_and_moves_nothing_before_it_comes() -> None:
    """Churn on the day somebody presses cancel. Two hours before the end it still pays."""
    row = subscription(at(1, 10), cancelled_at=at(3, 2), cancel_at=at(5, 10))
    items = [item(at(1, 10), "40")]
    assert moves(books([row], items, at(5, 10))) == [("new", at(1, 10), "40.00")]
    assert moves(books([row], items, at(5, 10, 1)))[1:] == [("churn", at(5, 10), "40.00")]


@pytest.mark.parametrize(
    ("more", "end"),
    [
        ({"current_period_end_at": at(4, 10), "cancelled_at": at(3, 2)}, at(4, 10)),
        ({"cancelled_at": at(3, 2)}, at(3, 2)),
        ({"ended_at": at(3, 20), "current_period_end_at": at(4, 10)}, at(3, 20)),
        ({"ended_at": at(3, 20), "cancel_at": at(4, 1)}, at(3, 20)),
        ({"cancelled_at": at(7, 2)}, None),
        ({"ended_at": at(7, 2)}, None),
    ],
)
def test_a_cancelled_subscription_pays_until_its_period_ends(
    more: dict[str, Any], end: datetime | None
) -> None:
    """Churn at the wrong one of the four dates, or before it has happened."""
    row = subscription(at(1, 10), status="Canceled", **more)
    found = moves(books([row], [item(at(1, 10), "40")]))
    assert found[1:] == ([] if end is None else [("churn", end, "40.00")])


def test_nothing_at_or_after_the_as_of_instant_counts() -> None:
    """A subscription, an item or an account of tomorrow in today's numbers."""
    rows = [subscription(at(1, 10)), subscription(AS_OF, 2)]
    items = [
        item(at(1, 10), "40"),
        item(AS_OF, "99", valid_from=AS_OF),
        item(AS_OF, "7", 2),
    ]
    assert moves(books(rows, items)) == [("new", at(1, 10), "40.00")]
    assert books(rows, items, who=account(AS_OF)).monthly == []


def test_the_as_of_month_is_that_of_the_last_full_day_and_partial_while_it_lasts() -> None:
    """As-of 1 January that opens a month without a day, or a half month that looks whole."""
    rows, items = [subscription(at(1, 10))], [item(at(1, 10), "40")]
    whole, half = books(rows, items, at(3, 1)).monthly, books(rows, items, at(3, 2)).monthly
    assert [(r["month"].month, r["is_partial"]) for r in whole] == [(1, False), (2, False)]
    assert [(r["month"].month, r["is_partial"]) for r in half][-1] == (3, True)


def test_the_spine_begins_with_the_earlier_of_account_and_subscription() -> None:
    """A subscription from before the CRM knew the account, cut off."""
    rows = [subscription(at(11, 20, year=2023))]
    found = books(rows, [item(at(11, 20, year=2023), "40")], at(2, 1))
    assert [row["month"] for row in found.monthly] == [
        date(2023, 11, 1),
        date(2023, 12, 1),
        date(2024, 1, 1),
    ]


def test_test_accounts_other_currencies_metered_items_and_free_items_move_nothing() -> None:
    """What is no MRR, in it."""
    start = at(1, 10)
    rows, items = [subscription(start)], [item(start, "40")]
    assert books(rows, items, who=account(is_test=True)).monthly == []
    assert books([subscription(start, currency="EUR")], items).movements == []
    assert books(rows, [item(start, "40", is_metered=True)]).movements == []
    assert books(rows, [item(start, "0")]).movements == []


def test_an_item_counts_only_while_its_subscription_does() -> None:
    """An open-ended item that outlives its subscription, or begins before it."""
    row = subscription(at(2, 5), ended_at=at(3, 5))
    found = books([row], [item(at(1, 1), "40"), item(at(1, 1), "9", valid_to=at(2, 5))])
    assert moves(found) == [("new", at(2, 5), "40.00"), ("churn", at(3, 5), "40.00")]


def test_a_quantity_change_is_expansion() -> None:
    """Seats that are not in the price."""
    items = [
        item(at(1, 31), "10", quantity=Decimal(3), valid_to=at(2, 29)),
        item(at(2, 29), "10", quantity=Decimal("4.5")),
    ]
    found = books([subscription(at(1, 31))], items)
    assert moves(found) == [("new", at(1, 31), "30.00"), ("expansion", at(2, 29), "15.00")]
