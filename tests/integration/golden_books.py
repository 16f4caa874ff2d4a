"""How a golden case of revenue is written down: what lands, and what the marts must say.

Every case is an account of its own in one landing, as of 1 July 2024, so that one build shows them
all. Days are written as `2024-02-15` or `2024-02-15 09:00`, in UTC; money as text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Row = dict[str, Any]
Rows = list[Row]

AS_OF = datetime(2024, 7, 1, tzinfo=UTC)
# What one euro and one yen cost in dollars: the last rates before the firsts of months, and before
# the 15ths of some.
RATES = {
    "EUR": {
        "2023-12-31": "1.10", "2024-01-14": "1.12", "2024-01-31": "1.20", "2024-02-14": "1.16",
        "2024-02-29": "1.15", "2024-03-14": "1.16", "2024-03-31": "1.15", "2024-04-14": "1.16",
        "2024-04-30": "1.15", "2024-05-14": "1.16", "2024-05-31": "1.15", "2024-06-14": "1.16",
    },
    "JPY": {
        "2023-12-31": "0.0065", "2024-01-31": "0.0065", "2024-02-29": "0.0065",
        "2024-03-31": "0.0065", "2024-04-30": "0.0065", "2024-05-31": "0.0065",
    },
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """A subscription of a case with its items, words and discounts."""

    start: str
    items: Sequence[Row]
    currency: str = "USD"
    more: Mapping[str, Any] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    discounts: Sequence[Row] = ()


@dataclass(frozen=True, kw_only=True)
class Golden:
    """A case: what lands, its movements by policy, and the MRR at the ends of months.

    `endings` names the months in which the balance becomes another one; it stays until the next.
    """

    name: str
    prevents: str
    lands: Sequence[Subscription]
    moves: Mapping[str, Sequence[str]]
    endings: Mapping[str, Mapping[str, str]]
    usage: Mapping[str, str] = field(default_factory=dict)
    # The place of the subscription that another one continues, and of that other one.
    migration: tuple[int, int] | None = None
    # The place of the subscription that landed under another account, and the day of their merge.
    merged: tuple[int, str] | None = None


def at(text: str) -> datetime:
    """The instant that a case writes down."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def price(
    amount: str,
    interval: str = "month",
    *,
    count: int = 1,
    quantity: str = "1",
    start: str | None = None,
    end: str | None = None,
    product: str = "Seats",
    name: str = "i",
    is_metered: bool = False,
) -> Row:
    """An item at a price, for the whole subscription unless it says since when and until when."""
    return {
        "item_id": name,
        "product": product,
        "price": amount,
        "quantity": quantity,
        "interval": interval,
        "interval_count": count,
        "is_metered": is_metered,
        "valid_from": start,
        "valid_to": None if end is None else at(end),
    }


def off(
    duration: str,
    start: str,
    end: str | None = None,
    *,
    percent: str | None = None,
    amount: str | None = None,
    position: int | None = None,
    item: str | None = None,
) -> Row:
    """A discount on the whole subscription or on one of its items."""
    return {
        "item_id": item,
        "duration": duration,
        "percent_off": percent,
        "amount_off": amount,
        "position": position,
        "valid_from": at(start),
        "valid_to": None if end is None else at(end),
    }


def tables(cases: Sequence[Golden]) -> dict[str, Rows]:
    """All cases as raw tables."""
    found: dict[str, Rows] = {
        "crm.accounts": [],
        "crm.account_merges": [],
        "invoices.subscriptions": [],
        "invoices.subscription_items": [],
        "invoices.subscription_changes": [],
        "invoices.discounts": [],
        "invoices.invoices": [],
        "invoices.invoice_lines": [],
        "invoices.fx_rates": [
            # Systems write codes in small letters too, and fixed-width exports pad them.
            {"currency": f"{currency.lower()} ", "day": day, "rate": rate}
            for currency, published in RATES.items()
            for day, rate in published.items()
        ],
    }
    for case in cases:
        _land(case, found)
    return found


def migrations(cases: Sequence[Golden]) -> Rows:
    """The rows of seed `billing_migrations`."""
    return [
        {
            "from_subscription_id": f"{case.name} {case.migration[0]}",
            "to_subscription_id": f"{case.name} {case.migration[1]}",
        }
        for case in cases
        if case.migration is not None
    ]


def _land(case: Golden, found: dict[str, Rows]) -> None:
    found["crm.accounts"].append({"account_id": case.name, "created_at": at("2023-01-10")})
    if case.merged is not None:
        other, day = f"{case.name}, formerly", case.merged[1]
        found["crm.accounts"].append({"account_id": other, "created_at": at("2023-01-10")})
        found["crm.account_merges"].append(
            {"from_account_id": other, "into_account_id": case.name, "merged_at": at(day)}
        )
    for place, subscription in enumerate(case.lands):
        is_other = case.merged is not None and case.merged[0] == place
        owner = f"{case.name}, formerly" if is_other else case.name
        _land_subscription(f"{case.name} {place}", owner, subscription, found)
    for number, (day, amount) in enumerate(case.usage.items()):
        _land_usage(f"{case.name} {number}", case.name, day, amount, found)


def _land_subscription(
    name: str, account: str, subscription: Subscription, found: dict[str, Rows]
) -> None:
    start = at(subscription.start)
    dates = {k: at(v) if k.endswith("_at") else v for k, v in subscription.more.items()}
    found["invoices.subscriptions"].append(
        {
            "subscription_id": name,
            "account_id": account,
            "status": "active",
            "plan": "Basic",
            "currency": f" {subscription.currency}",
            "started_at": start,
            **dates,
        }
    )
    for item in subscription.items:
        own = {"subscription_id": name, "item_id": f"{name} {item['item_id']}"}
        since = start if item["valid_from"] is None else at(item["valid_from"])
        found["invoices.subscription_items"].append(item | own | {"valid_from": since})
    found["invoices.subscription_changes"] += [
        {"subscription_id": name, "changed_at": at(day), "status": word}
        for day, word in subscription.words.items()
    ]
    for number, discount in enumerate(subscription.discounts):
        item_id = discount["item_id"] and f"{name} {discount['item_id']}"
        own = {"discount_id": f"{name} {number}", "subscription_id": name, "item_id": item_id}
        found["invoices.discounts"].append(discount | own)


def _land_usage(name: str, account: str, day: str, amount: str, found: dict[str, Rows]) -> None:
    """An invoice of one metered line."""
    found["invoices.invoices"].append(
        {
            "invoice_id": name,
            "account_id": account,
            "status": "paid",
            "currency": "USD",
            "created_at": at(day),
        }
    )
    found["invoices.invoice_lines"].append(
        {"line_id": name, "invoice_id": name, "kind": "usage", "amount": amount}
    )
