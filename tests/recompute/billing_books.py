"""Random rows around a subscription: words of its history, discounts, rates, usage, moves.

Like `books`, which calls it: few instants, so that what breaks arithmetic happens all the time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from tests.recompute.dice import Dice

Row = dict[str, Any]
Rows = list[Row]

MICROSECOND = timedelta(microseconds=1)
ONE_DAY = timedelta(days=1)
# No rate of the last one was ever published.
CURRENCIES = ("USD",) * 8 + ("EUR", "EUR", "EUR", "GBP", "GBP", "JPY", "CHF")
WORDS = (
    "active", "past_due", "paused", "cancelled", "Past_Due", "unpaid", "trialing", "past_due",
    "ACTIVE", "canceled", "incomplete", "one_off", "incomplete_expired",
)  # fmt: skip
# After the word before: the last moments of 30 days of grace, and the first one after them.
DELAYS = (
    timedelta(days=30) - MICROSECOND,
    timedelta(days=30),
    timedelta(days=31),
    timedelta(days=10),
    timedelta(days=1),
    timedelta(hours=5),
)
PERCENTS = (None, None, "10", "25", "33.3333", "50", "100", "120")
AMOUNTS_OFF = (None, None, "5", "10", "0.01", "33.3333", "1000", "0.0001")
RATES = {"EUR": ("1.08", 13), "GBP": ("1.25", 7), "JPY": ("0.0067", 11)}
RATES_BEGIN, RATES_END = date(2022, 9, 1), date(2024, 4, 30)
# Days without any rate, of one currency each: shorter and longer than a week.
HOLES = {
    "short": (("EUR", date(2024, 1, 28), 5), ("GBP", date(2024, 2, 26), 6)),
    "long": (("EUR", date(2024, 2, 20), 11), ("JPY", date(2023, 12, 20), 20)),
    "late": (("GBP", date(2022, 9, 1), 500), ("EUR", date(2022, 9, 1), 480)),
}


@dataclass(frozen=True, kw_only=True)
class Paper:
    """What a landing holds around its subscriptions and items."""

    changes: Rows
    discounts: Rows
    rates: Rows
    migrations: Rows
    invoices: Rows
    lines: Rows


def paper(dice: Dice, subscriptions: Rows, items: Rows, instants: Sequence[datetime]) -> Paper:
    """All of it; one landing in six has nothing but rates."""
    is_bare = dice.pick((False, False, False, False, False, True))
    billed = [] if is_bare else subscriptions
    invoices, lines = _usage(dice, billed, instants)
    return Paper(
        changes=[row for s in billed for row in _history(dice, s, instants)],
        discounts=[row for s in billed for row in _discounts(dice, s, items, instants)],
        rates=published(dice.pick((None, "short", "short", "long", "late"))),
        migrations=_migrations(dice, billed),
        invoices=invoices,
        lines=lines,
    )


def _history(dice: Dice, subscription: Row, instants: Sequence[datetime]) -> Rows:
    """Words one after another, some a given time after the one before."""
    at = dice.pick((subscription["started_at"], *instants))
    rows: Rows = []
    for _ in range(dice.pick((0, 0, 0, 1, 2, 3, 5))):
        rows.append(
            {
                "subscription_id": subscription["subscription_id"],
                "changed_at": at,
                "status": dice.pick(WORDS),
            }
        )
        later = [instant for instant in instants if instant > at]
        at = dice.pick((*(at + delay for delay in DELAYS), *later))
    return rows


def _discounts(dice: Dice, subscription: Row, items: Rows, instants: Sequence[datetime]) -> Rows:
    """None to four of them, on the whole subscription or on one item."""
    name = subscription["subscription_id"]
    own = sorted({i["item_id"] for i in items if i["subscription_id"] == name})
    return [
        _discount(dice, f"{name}d{number}", subscription, own, instants)
        for number in range(dice.pick((0, 0, 1, 1, 2, 4)))
    ]


def _discount(
    dice: Dice,
    name: str,
    subscription: Row,
    items: Sequence[str],
    instants: Sequence[datetime],
) -> Row:
    start = dice.pick((subscription["started_at"], *instants))
    ends = [instant for instant in instants if instant > start]
    month = start + timedelta(days=31)
    percent, amount = dice.pick(PERCENTS), dice.pick(AMOUNTS_OFF)
    return {
        "discount_id": name,
        "subscription_id": subscription["subscription_id"],
        "item_id": dice.pick((None, None, *items)),
        "duration": dice.pick(("forever", "repeating", "once")),
        "percent_off": None if percent is None else Decimal(percent),
        "amount_off": None if amount is None else Decimal(amount),
        "currency": dice.pick((None, subscription["currency"], subscription["currency"], "SEK")),
        "position": dice.pick((None, 1, 1, 2)),
        "valid_from": start,
        "valid_to": dice.pick((None, None, month, month - MICROSECOND, *ends)),
    }


def published(holes: str | None) -> Rows:
    """Rates of three currencies, daily; of the yen only now and then."""
    missing = {
        (currency, first + number * ONE_DAY)
        for currency, first, days in HOLES.get(holes or "", ())
        for number in range(days)
    }
    rows: Rows = []
    for currency, (base, step) in RATES.items():
        day = RATES_BEGIN
        while day <= RATES_END:
            number = day.toordinal()
            is_told = currency != "JPY" or number % 6 == 0
            if is_told and (currency, day) not in missing:
                # Eight odd digits: no product with a price ends on the half of a cent.
                rate = Decimal(base) * (1 + Decimal(number * step % 97 - 48) / 1013)
                rows.append({"currency": currency, "day": day, "rate": round(rate, 8)})
            day += ONE_DAY
    return rows


def _migrations(dice: Dice, subscriptions: Rows) -> Rows:
    """Pairs of one account, now and then of two; nobody moves twice from one place."""
    ordered = sorted(subscriptions, key=lambda s: (s["account_id"], s["subscription_id"]))
    return [
        {
            "from_subscription_id": one["subscription_id"],
            "to_subscription_id": other["subscription_id"],
        }
        for one, other in pairwise(ordered)
        if dice.pick((False, False, False, True))
    ]


def _usage(dice: Dice, subscriptions: Rows, instants: Sequence[datetime]) -> tuple[Rows, Rows]:
    """Invoices in the reporting currency, with lines for use and for seats."""
    invoices: Rows = []
    lines: Rows = []
    for subscription in subscriptions[::2]:
        name = f"n{subscription['subscription_id']}"
        created = dice.pick((*instants, datetime(2024, 2, 10, tzinfo=UTC)))
        invoices.append(_invoice(dice, name, subscription, created))
        lines.extend(_line(dice, name, place) for place in range(dice.pick((1, 2, 3))))
    return invoices, lines


def _invoice(dice: Dice, name: str, subscription: Row, created: datetime) -> Row:
    empty = ("number", "issued_at", "due_on", "paid_at", "voided_at")
    amounts = ("subtotal_amount", "discount_amount", "tax_amount", "total_amount")
    return dict.fromkeys((*empty, *amounts)) | {
        "invoice_id": name,
        "account_id": subscription["account_id"],
        "subscription_id": subscription["subscription_id"],
        "status": dice.pick(("paid", "open", "uncollectible", "draft", "void")),
        "currency": "USD",
        "created_at": created,
    }


def _line(dice: Dice, invoice: str, place: int) -> Row:
    empty = ("subscription_id", "item_id", "user_id", "order_kind", "description", "quantity")
    return dict.fromkeys((*empty, "period_start_at", "period_end_at")) | {
        "line_id": f"{invoice}l{place}",
        "invoice_id": invoice,
        "kind": dice.pick(("usage", "usage", "recurring", "one_time")),
        "amount": Decimal(dice.pick(("100", "0.01", "33.33", "7", "250.5"))),
        "is_proration": False,
    }
