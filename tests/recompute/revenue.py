"""MRR once more, in plain Python, from the rows that landed; shares no code with the product.

Slow and simple on purpose: exact fractions, loops over everything, one definition per function.
Source of every rule: the project's spec 20 (revenue) and spec 00 (time, numbers). Days are those of
`zone`, UTC if nobody says.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from fractions import Fraction
from typing import Any

Row = Mapping[str, Any]

ZERO = Decimal("0.00")
NEVER_PAID = {"trialing", "paused", "unpaid", "incomplete", "incomplete_expired"}
CANCELLED = {"canceled", "cancelled"}
# Months' share of one interval, for an interval count of 1.
MONTH_FACTORS = {
    "day": Fraction(365, 12),
    "week": Fraction(52, 12),
    "month": Fraction(1),
    "year": Fraction(1, 12),
}


@dataclass(frozen=True, kw_only=True)
class Segment:
    """An item at one price, for as long as it is in one phase of its subscription.

    `end` is exclusive and None while the segment goes on; `phase` is paid or trial.
    """

    account_id: str
    subscription_id: str
    item_id: str
    phase: str
    amount: Decimal
    start: datetime
    end: datetime | None

    def holds_at(self, instant: datetime) -> bool:
        """In force at the instant itself."""
        return self.start <= instant and (self.end is None or instant < self.end)

    def holds_just_before(self, instant: datetime) -> bool:
        """In force in the last moment before the instant."""
        return self.start < instant and (self.end is None or instant <= self.end)


@dataclass(frozen=True, kw_only=True)
class Books:
    """Both marts as lists of rows, ordered by their grain."""

    movements: list[dict[str, Any]]
    monthly: list[dict[str, Any]]


def mrr_books(
    accounts: Sequence[Row],
    subscriptions: Sequence[Row],
    items: Sequence[Row],
    as_of: datetime,
    *,
    currency: str = "USD",
    zone: tzinfo = UTC,
) -> Books:
    """The rows of `fct_mrr_movements` and `fct_mrr_monthly`, policy standard."""
    real = [a for a in accounts if a["created_at"] < as_of and not a.get("is_test")]
    segments = list(item_segments(real, subscriptions, items, as_of, currency=currency))
    movements: list[dict[str, Any]] = []
    monthly: list[dict[str, Any]] = []
    for account in sorted(real, key=lambda row: str(row["account_id"])):
        own = [s for s in segments if s.account_id == account["account_id"]]
        moved = account_movements(own, as_of, zone)
        movements.extend(moved)
        for month in account_months(account, subscriptions, as_of, zone):
            monthly.append(account_month(account["account_id"], month, own, moved, as_of, zone))
    return Books(movements=movements, monthly=monthly)


def month_amount(price: Any, quantity: Any, interval: str, interval_count: int | None) -> Decimal:
    """What an item pays for a month, rounded once, half-even, to the cent."""
    exact = Fraction(str(price)) * Fraction(str(quantity)) * MONTH_FACTORS[interval]
    exact /= interval_count or 1
    # round() of a Fraction is exact and half-even.
    return Decimal(round(exact * 100)) / 100 + ZERO


def item_segments(
    accounts: Sequence[Row],
    subscriptions: Sequence[Row],
    items: Sequence[Row],
    as_of: datetime,
    *,
    currency: str,
) -> Iterator[Segment]:
    """Every item segment, paid and in trial, that starts before `as_of`."""
    known = {account["account_id"] for account in accounts}
    for subscription in subscriptions:
        is_known = subscription["account_id"] in known and subscription["started_at"] < as_of
        if not is_known or subscription["currency"] != currency:
            continue
        for item in _fixed_items(subscription, items, as_of):
            for phase, start, end in phases(subscription, as_of):
                segment = _segment(subscription, item, phase, start, end)
                if segment.start < as_of and (segment.end is None or segment.start < segment.end):
                    yield segment


def _fixed_items(subscription: Row, items: Sequence[Row], as_of: datetime) -> list[Row]:
    """The subscription's items that are dated before `as_of`, metered ones left out."""
    own = [i for i in items if i["subscription_id"] == subscription["subscription_id"]]
    return [item for item in own if item["valid_from"] < as_of and not item.get("is_metered")]


def phases(subscription: Row, as_of: datetime) -> Iterator[tuple[str, datetime, datetime | None]]:
    """The trial and the paid time of a subscription: phase, start, end (None: it goes on)."""
    status = status_at(subscription, as_of)
    start: datetime = subscription["started_at"]
    end = paid_end(subscription, as_of)
    if status == "trialing":
        yield "trial", start, end
    if status in NEVER_PAID:
        return
    trial_end = subscription.get("trial_ends_at")
    paid_start = start if trial_end is None or trial_end < start else trial_end
    if paid_start > start:
        yield "trial", start, _earlier(paid_start, end)
    yield "paid", paid_start, end


def status_at(subscription: Row, as_of: datetime) -> str:
    """The subscription's word; one that tells of an end goes back with an end still to come."""
    word = str(subscription.get("status") or "").lower()
    end = subscription.get("ended_at") or subscription.get("cancelled_at")
    return "active" if word in CANCELLED and end is not None and end >= as_of else word


def paid_end(subscription: Row, as_of: datetime) -> datetime | None:
    """The end of the paid period; what has happened goes before what is planned."""
    ended = _happened(subscription.get("ended_at"), as_of)
    if ended is not None:
        return ended
    planned: datetime | None = subscription.get("cancel_at")
    if planned is not None:
        return planned
    if status_at(subscription, as_of) not in CANCELLED:
        return None
    period_end: datetime | None = subscription.get("current_period_end_at")
    if period_end is not None:
        return period_end
    return _happened(subscription.get("cancelled_at"), as_of)


def _segment(
    subscription: Row, item: Row, phase: str, start: datetime, end: datetime | None
) -> Segment:
    return Segment(
        account_id=subscription["account_id"],
        subscription_id=subscription["subscription_id"],
        item_id=item["item_id"],
        phase=phase,
        amount=month_amount(
            item["price"], item["quantity"], item["interval"], item.get("interval_count")
        ),
        start=max(start, item["valid_from"]),
        end=_earlier(end, item.get("valid_to")),
    )


def _happened(instant: datetime | None, as_of: datetime) -> datetime | None:
    return None if instant is None or instant >= as_of else instant


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    """The earlier of two ends, where None is no end."""
    if one is None:
        return other
    return one if other is None else min(one, other)


def account_movements(
    segments: Sequence[Segment], as_of: datetime, zone: tzinfo = UTC
) -> list[dict[str, Any]]:
    """One account's movements in order: all that changes at one instant is netted first."""
    changes: dict[datetime, Decimal] = {}
    for segment in segments:
        if segment.phase != "paid":
            continue
        changes[segment.start] = changes.get(segment.start, ZERO) + segment.amount
        if segment.end is not None and segment.end < as_of:
            changes[segment.end] = changes.get(segment.end, ZERO) - segment.amount
    balance = ZERO
    was_paying = False
    rows = []
    for instant in sorted(changes):
        before, balance = balance, balance + changes[instant]
        if balance == before:
            continue
        rows.append(
            {
                "account_id": segments[0].account_id,
                "moved_at": instant,
                "movement": _movement(before, balance, was_paying=was_paying),
                "policy": "standard",
                "month": local_day(instant, zone).replace(day=1),
                "amount": abs(balance - before),
                "mrr_before": before,
                "mrr_after": balance,
            }
        )
        was_paying = was_paying or balance > 0
    return rows


def _movement(before: Decimal, after: Decimal, *, was_paying: bool) -> str:
    if before == 0:
        return "reactivation" if was_paying else "new"
    if after == 0:
        return "churn"
    return "expansion" if after > before else "contraction"


def account_months(
    account: Row, subscriptions: Sequence[Row], as_of: datetime, zone: tzinfo = UTC
) -> Iterator[date]:
    """The account's months, from the first of all to that of the last full day before as-of."""
    starts = [account["created_at"]]
    for subscription in subscriptions:
        is_own = subscription["account_id"] == account["account_id"]
        if is_own and subscription["started_at"] < as_of:
            starts.append(subscription["started_at"])
    last = local_day(as_of, zone) - timedelta(days=1)
    month = local_day(min(starts), zone).replace(day=1)
    while month <= last:
        yield month
        month = next_month(month)


def account_month(
    account_id: str,
    month: date,
    segments: Sequence[Segment],
    movements: Sequence[Row],
    as_of: datetime,
    zone: tzinfo = UTC,
) -> dict[str, Any]:
    """One account's month: what stood before it, what moved in it, what stands at its end."""
    start, following = first_instant(month, zone), first_instant(next_month(month), zone)
    end = min(following, as_of)
    sums = dict.fromkeys(("new", "reactivation", "expansion", "contraction", "churn"), ZERO)
    for row in movements:
        if start <= row["moved_at"] < end:
            sums[row["movement"]] += row["amount"]
    ending = _balance_before(movements, end)
    paid = [s for s in segments if s.phase == "paid"]
    trial = [s for s in segments if s.phase == "trial"]
    return {
        "account_id": account_id,
        "month": month,
        "policy": "standard",
        "starting_mrr": _balance_before(movements, start),
        **{f"{name}_mrr": amount for name, amount in sums.items()},
        "fx_mrr": ZERO,
        "ending_mrr": ending,
        "subscription_mrr": sum((s.amount for s in paid if s.holds_at(start)), ZERO),
        "gross_mrr": ending,
        "net_mrr": ending,
        "trial_pipeline_mrr": sum((s.amount for s in trial if s.holds_just_before(end)), ZERO),
        "is_partial": following > as_of,
    }


def _balance_before(movements: Sequence[Row], instant: datetime) -> Decimal:
    """The MRR just before an instant: what the last movement before it left."""
    balance = ZERO
    for row in movements:
        if row["moved_at"] < instant:
            balance = row["mrr_after"]
    return balance


def local_day(instant: datetime, zone: tzinfo) -> date:
    """The day that an instant falls on, in a time zone."""
    return instant.astimezone(zone).date()


def first_instant(day: date, zone: tzinfo = UTC) -> datetime:
    """Midnight at the start of a day, as an instant in UTC: all arithmetic is in real time."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def next_month(month: date) -> date:
    """The first day of the month after."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)
