"""Books of accounts that stay for years: what retention and renewals are about.

The generator of books.py is rich in oddities of one spring; here subscriptions go on, change their
price, currency and plan, are renewed early, late or never, over two years and more.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from tests.recompute.billing_books import published
from tests.recompute.books import Landing, Rows
from tests.recompute.dice import Dice, SeededDice

AS_OFS = (datetime(2024, 4, 1, tzinfo=UTC), datetime(2024, 3, 18, 13, 30, tzinfo=UTC))
TERMS = (1, 3, 6, 12)
EMPTY = ("ended_at", "trial_ends_at", "cancelled_at", "cancel_at", "current_period_end_at")


def lasting_books(seed: int, *, accounts: int = 25) -> Landing:
    """Books of that many accounts; the same seed gives the same rows."""
    dice = SeededDice(np.random.default_rng([seed, 3]))
    as_of = dice.pick(AS_OFS)
    names = [f"k{number:02d}" for number in range(accounts)]
    subscriptions: Rows = []
    items: Rows = []
    for name in names:
        for subscription in _chain(dice, name, as_of):
            subscriptions.append(subscription)
            items.extend(_items(dice, subscription, as_of))
    return Landing(
        as_of=as_of,
        accounts=[
            {
                "account_id": name,
                "account_name": name,
                "created_at": datetime(2022, 1, 10, tzinfo=UTC),
                "is_test": name == "k05",
            }
            for name in names
        ],
        subscriptions=subscriptions,
        items=items,
        rates=published(None),
    )


def _chain(dice: Dice, account: str, as_of: datetime) -> Iterator[dict[str, Any]]:
    """Subscriptions of one account, one after another or beside each other."""
    start = dice.pick((_month(2022, 2), _month(2022, 3, 31), _month(2023, 1, 15), _month(2023, 9)))
    for number in range(dice.pick((1, 2, 3, 3))):
        if start >= as_of:
            return
        term = dice.pick(TERMS)
        terms = dice.pick((1, 2, 3, None)) if number < 2 else None
        early = timedelta(days=dice.pick((0, 0, 0, 19)))
        end = None if terms is None else _later(start, term * terms) - early
        yield dict.fromkeys(EMPTY) | {
            "subscription_id": f"{account}.{number}",
            "account_id": account,
            "status": "active" if end is None or end >= as_of else "canceled",
            "plan": dice.pick(("Basic", "Pro")),
            "currency": dice.pick(("USD", "USD", "EUR", "GBP")),
            "started_at": start,
            "ended_at": end if end is not None and end < as_of else None,
            "cancel_at": end if end is not None and end >= as_of else None,
            "renewal_term_months": dice.pick((term, term, None)),
            "notice_days": dice.pick((None, 30)),
            "created_at": start,
            "updated_at": None,
        }
        gap = timedelta(days=dice.pick((0, 0, 0, 12, 60, 61, 200)))
        start = (end if end is not None else start + timedelta(days=100)) + gap


def _items(dice: Dice, subscription: dict[str, Any], as_of: datetime) -> Rows:
    """One or two items, whose price changes on some first days of a month and on renewals."""
    start = subscription["started_at"]
    rows: Rows = []
    for letter in dice.pick(("x", "x", "xy")):
        edges = sorted(
            {_later(start, dice.pick((1, 3, 6, 12))) for _ in range(dice.pick((0, 1, 2)))}
        )
        begins = [start, *(edge for edge in edges if edge < as_of)]
        product = dice.pick(("Seats", "Add-on"))
        for place, begin in enumerate(begins):
            product = dice.pick((product, product, product, "Suite"))
            rows.append(
                {
                    "item_id": f"{subscription['subscription_id']}{letter}",
                    "subscription_id": subscription["subscription_id"],
                    "product": product,
                    "price": Decimal(dice.pick(("100", "100", "120", "80", "33.33", "0"))),
                    "quantity": Decimal(1),
                    "interval": dice.pick(("month", "month", "year")),
                    "interval_count": 1,
                    "is_metered": False,
                    "valid_from": begin,
                    "valid_to": begins[place + 1] if place + 1 < len(begins) else None,
                }
            )
    return rows


def _month(year: int, month: int, day: int = 1) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


def _later(start: datetime, months: int) -> datetime:
    """Some months later; short months end it early, and nobody minds here."""
    years, place = divmod(start.month - 1 + months, 12)
    return start.replace(year=start.year + years, month=place + 1, day=min(start.day, 28))
