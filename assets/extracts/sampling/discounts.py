"""The sample's discounts: for ever, for half a year, once, and two at once."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from assets.extracts.sampling.accounts import Account
from assets.extracts.sampling.moments import add_months

Row = dict[str, object]


def discounts_of(
    account: Account, subscription: Mapping[str, Any], items: Sequence[Mapping[str, object]]
) -> Iterator[Row]:
    """The discounts on an account's first subscription, from the first paid day on."""
    key = str(subscription["subscription_id"])
    if account.story == "trial_lost" or not key.endswith("-1"):
        return
    start = subscription["trial_ends_at"] or subscription["started_at"]
    for position, kind in enumerate(_kinds(account, items[0], start), start=1):
        yield {
            "discount_id": f"disc-{account.number:04d}-{position}",
            "subscription_id": key,
            "position": position,
            "valid_from": start,
            **kind,
        }


def _kinds(account: Account, seats: Mapping[str, object], start: datetime) -> Sequence[Row]:
    """What kinds of discount the account has; most have none."""
    if account.number % 20 == 12:
        return _percent("forever", "10"), _amount(account, seats, add_months(start, 12))
    kinds = {
        4: _percent("forever", "10"),
        7: _amount(account, seats, add_months(start, 6)),
        8: _percent("once", "50"),
    }
    last = account.number % 10
    return (kinds[last],) if last in kinds else ()


def _percent(duration: str, percent: str) -> Row:
    return {
        "duration": duration,
        "percent_off": percent,
        "amount_off": None,
        "currency": None,
        "valid_to": None,
    }


def _amount(account: Account, seats: Mapping[str, object], until: datetime) -> Row:
    """About a tenth of what the seats cost at first, in whole units of the currency."""
    cost = float(str(seats["price"])) * float(str(seats["quantity"]))
    return {
        "duration": "repeating",
        "percent_off": None,
        "amount_off": f"{max(1, round(cost / 10))}.00",
        "currency": account.currency,
        "valid_to": until,
    }
