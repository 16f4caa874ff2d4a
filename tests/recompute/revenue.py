"""MRR once more, in plain Python, from the rows that landed; shares no code with the product.

Slow and simple on purpose: exact fractions, loops over everything, one definition per function.
Source of every rule: the project's spec 20 (revenue) and spec 00 (time, numbers), and the decisions
8 to 10 of the MRR core. Days are those of the ledger's `zone`, UTC if nobody says.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from tests.recompute.calendars import (
    first_instant,
    local_day,
    local_month,
    next_month,
)
from tests.recompute.discounts import gross, rounded
from tests.recompute.fx import Rates, rates
from tests.recompute.movements import (
    ZERO,
    ZERO_ORIGINAL,
    Account,
    Rows,
    account_movements,
    account_under,
    metered_mrr,
)
from tests.recompute.policies import STANDARD, Policy
from tests.recompute.policy_bridge import bridge
from tests.recompute.segments import Ledger, Segment, item_segments
from tests.recompute.subscriptions import spans, told

__all__ = [
    "ZERO",
    "Books",
    "Ledger",
    "Segment",
    "account_books",
    "first_instant",
    "item_segments",
    "local_day",
    "month_amount",
    "mrr_books",
    "next_month",
    "phases",
    "policy_books",
]

Row = Mapping[str, Any]

KINDS = ("new", "reactivation", "expansion", "contraction", "churn")
LOSSES = ("contraction", "churn")


@dataclass(frozen=True, kw_only=True)
class Books:
    """The marts as lists of rows, ordered by their grain."""

    movements: Rows = field(default_factory=list)
    monthly: Rows = field(default_factory=list)
    by_currency: Rows = field(default_factory=list)
    bridge: Rows = field(default_factory=list)


def mrr_books(
    accounts: Sequence[Row],
    subscriptions: Sequence[Row],
    items: Sequence[Row],
    as_of: datetime,
    *,
    currency: str = "USD",
    zone: tzinfo = UTC,
) -> Books:
    """The books by the standard policy, where only subscriptions and items landed."""
    ledger = Ledger(
        as_of=as_of,
        accounts=accounts,
        subscriptions=subscriptions,
        items=items,
        currency=currency,
        zone=zone,
    )
    return policy_books(ledger, (STANDARD,))


def policy_books(ledger: Ledger, policies: Sequence[Policy]) -> Books:
    """Movements, months, months by currency and the bridge, for every policy."""
    found = Books()
    real = [a for a in ledger.accounts if a["created_at"] < ledger.as_of and not a.get("is_test")]
    known = rates(ledger.rates, reporting=ledger.currency, zone=ledger.zone)
    for row in sorted(real, key=lambda account: str(account["account_id"])):
        own = account_books(row, ledger.of_account(row["account_id"]), known, policies)
        found.movements.extend(own.movements)
        found.monthly.extend(own.monthly)
        found.by_currency.extend(own.by_currency)
        found.bridge.extend(own.bridge)
    return found


def account_books(row: Row, ledger: Ledger, known: Rates, policies: Sequence[Policy]) -> Books:
    """One account's books."""
    months = list(account_months(row, ledger))
    found = Books()
    for policy in policies:
        account = account_under(row, ledger, known, policy, months)
        moved = account_movements(account)
        found.movements.extend(moved)
        found.monthly.extend(account_month(account, month, moved) for month in months)
        found.by_currency.extend(currency_months(account, moved, months))
    endings: dict[tuple[object, ...], list[Decimal]] = {}

    def ending(policy: Policy) -> list[Decimal]:
        if policy.rules not in endings:
            moved = account_movements(account_under(row, ledger, known, policy, months))
            ends = [_month_end(month, ledger) for month in months]
            endings[policy.rules] = [_balance_before(moved, end) for end in ends]
        return endings[policy.rules]

    found.bridge.extend(bridge(str(row["account_id"]), months, policies, ending))
    return found


def month_amount(price: Any, quantity: Any, interval: str, interval_count: int | None) -> Decimal:
    """What an item pays for a month, rounded once, half-even, to the cent."""
    item = {"price": price, "quantity": quantity}
    return rounded(gross(item | {"interval": interval, "interval_count": interval_count}), 2)


def phases(subscription: Row, as_of: datetime) -> Iterator[tuple[str, datetime, datetime | None]]:
    """The trial and the paid time of a subscription: phase, start, end (None: it goes on).

    Policy standard, without a history of its status.
    """
    for span in spans(told(subscription, (), as_of)):
        yield span.phase, span.start, span.end


def account_months(account: Row, ledger: Ledger) -> Iterator[date]:
    """The account's months, from the first of all to that of the last full day before as-of."""
    starts = [account["created_at"]]
    for subscription in ledger.subscriptions:
        is_own = subscription["account_id"] == account["account_id"]
        if is_own and subscription["started_at"] < ledger.as_of:
            starts.append(subscription["started_at"])
    last = local_day(ledger.as_of, ledger.zone) - timedelta(days=1)
    month = local_month(min(starts), ledger.zone)
    while month <= last:
        yield month
        month = next_month(month)


def _month_end(month: date, ledger: Ledger) -> datetime:
    return min(first_instant(next_month(month), ledger.zone), ledger.as_of)


def account_month(account: Account, month: date, movements: Sequence[Row]) -> dict[str, Any]:
    """One account's month: what stood before it, what moved in it, what stands at its end."""
    ledger = account.ledger
    start, end = first_instant(month, ledger.zone), _month_end(month, ledger)
    sums = dict.fromkeys((*KINDS, "fx"), ZERO)
    for row in movements:
        if start <= row["moved_at"] < end:
            sums[row["movement"]] += row["amount"]
    metered = metered_mrr(account.account_id, month, ledger)
    at_start = [one for one in account.paid if one.segment.holds_at(start)]
    at_end = [one for one in account.paid if one.segment.holds_just_before(end)]
    return {
        "account_id": account.account_id,
        "month": month,
        "policy": account.policy.policy,
        "starting_mrr": _balance_before(movements, start),
        **{f"{name}_mrr": amount for name, amount in sums.items()},
        "ending_mrr": _balance_before(movements, end),
        "subscription_mrr": _total(one.amount(one.rate_at(start)) for one in at_start)
        + (metered if account.policy.metered == "included" else ZERO),
        "gross_mrr": _total(one.gross_amount(one.rate_just_before(end)) for one in at_end),
        "net_mrr": _total(one.amount(one.rate_just_before(end)) for one in at_end),
        "trial_pipeline_mrr": _total(_trials(account, start, end)),
        "metered_mrr": metered,
        "is_partial": first_instant(next_month(month), ledger.zone) > ledger.as_of,
    }


def _trials(account: Account, start: datetime, end: datetime) -> Iterator[Decimal]:
    """What each trial of a month would pay, at the month's rate; without one it can't be said."""
    for segment in account.trial:
        rate = account.rates.of_month(segment.currency, start)
        if rate is not None and segment.holds_just_before(end):
            yield rounded(segment.net * rate, 2)


def _total(amounts: Iterator[Decimal]) -> Decimal:
    return sum(amounts, ZERO)


def _balance_before(movements: Sequence[Row], instant: datetime) -> Decimal:
    """The MRR just before an instant: what the last movement before it left."""
    balance = ZERO
    for row in movements:
        if row["moved_at"] < instant:
            balance = row["mrr_after"]
    return balance


def currency_months(
    account: Account, movements: Sequence[Row], months: Sequence[date]
) -> Iterator[dict[str, Any]]:
    """The account's months in each original currency; the account's movement names each change."""
    zone = account.ledger.zone
    names = {row["moved_at"]: row["movement"] for row in movements if row["movement"] != "fx"}
    first: dict[str, datetime] = {}
    for at, instant in sorted(account.instants.items()):
        for currency in instant.original:
            first.setdefault(currency, at)
    for currency, begun in sorted(first.items()):
        changes = [
            (at, instant.original[currency])
            for at, instant in account.instants.items()
            if currency in instant.original
        ]
        for month in months:
            if month >= local_month(begun, zone):
                yield _currency_month(account, currency, month, changes, names)


def _currency_month(
    account: Account,
    currency: str,
    month: date,
    changes: Sequence[tuple[datetime, Decimal]],
    names: Mapping[datetime, str],
) -> dict[str, Any]:
    start, end = first_instant(month, account.ledger.zone), _month_end(month, account.ledger)
    sums = dict.fromkeys((*KINDS, "fx"), ZERO_ORIGINAL)
    for at, change in changes:
        if start <= at < end:
            sums[_currency_movement(names.get(at), change)] += abs(change)
    return {
        "account_id": account.account_id,
        "month": month,
        "policy": account.policy.policy,
        "currency": currency,
        "starting_mrr": sum((c for at, c in changes if at < start), ZERO_ORIGINAL),
        **{f"{name}_mrr": amount for name, amount in sums.items()},
        "ending_mrr": sum((c for at, c in changes if at < end), ZERO_ORIGINAL),
    }


def _currency_movement(of_account: str | None, change: Decimal) -> str:
    if change > 0:
        return of_account if of_account in ("new", "reactivation") else "expansion"
    return "churn" if of_account == "churn" else "contraction"
