"""Subscriptions and their renewals, in plain Python; shares no code with the product.

Source: the project's spec 20 (`fct_renewals`, `renewal_rate_monthly`, `fct_subscriptions`). What is
paid for when is what is given: its own proof is tests/recompute/revenue.py.
"""

from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from itertools import permutations
from typing import Any

from tests.recompute.bridges import BY, ZERO, segment_of
from tests.recompute.calendars import first_instant, local_day, shifted_month
from tests.recompute.retention import at_rate, holds_before, ratio

Row = Mapping[str, Any]

LATE = 60


@dataclass(frozen=True, kw_only=True)
class Paid:
    """What subscriptions are paid for, policy standard, latest known.

    `subscriptions` are under the accounts that they count under, test ones left out; `phases` and
    `amounts` are their paid and trial time and their items' stretches.
    """

    subscriptions: Sequence[Row]
    phases: Sequence[Row]
    amounts: Sequence[Row]
    as_of: datetime
    zone: tzinfo = UTC

    @property
    def today(self) -> date:
        """The as-of day."""
        return local_day(self.as_of, self.zone)

    def stretches(self, name: str) -> list[Row]:
        """The subscription's stretches of items."""
        return [row for row in self.amounts if row["subscription_id"] == name]

    def mrr_before(self, name: str, instant: datetime) -> Decimal:
        """The subscription's MRR just before an instant."""
        return sum((r["amount"] for r in self.stretches(name) if holds_before(r, instant)), ZERO)

    def begins(self, name: str) -> datetime | None:
        """The first instant that is paid for."""
        return min((row["starts_at"] for row in self._paid_phases(name)), default=None)

    def ends(self, name: str) -> datetime | None:
        """The end of what is paid for: of the paid time, or of the items if they have stopped."""
        of_items = _last([row["ends_at"] for row in self.stretches(name)])
        of_time = _last([row["ends_at"] for row in self._paid_phases(name)])
        if of_items is not None and of_items < self.as_of:
            return of_items if of_time is None else min(of_items, of_time)
        return of_time

    def _paid_phases(self, name: str) -> list[Row]:
        return [
            row
            for row in self.phases
            if row["subscription_id"] == name
            and row["phase"] == "paid"
            and row["starts_at"] < self.as_of
        ]


def _last(ends: Sequence[datetime | None]) -> datetime | None:
    """The last of the ends; None where there is none, or one goes on."""
    told = [end for end in ends if end is not None]
    return max(told) if told and len(told) == len(ends) else None


@dataclass(frozen=True, kw_only=True)
class Term:
    """A term of a subscription, from its first day to the day on which it falls due."""

    subscription: Row
    number: int
    starts_on: date
    due_on: date
    ended_at: datetime | None
    planned_end: datetime | None


def terms(paid: Paid, subscription: Row) -> Iterator[Term]:
    """The terms that have begun while the subscription was paid for."""
    name, months = subscription["subscription_id"], subscription["renewal_term_months"]
    begins, end = paid.begins(name), paid.ends(name)
    if not months or begins is None:
        return
    anchor = local_day(begins, paid.zone)
    ended = end if end is not None and end < paid.as_of else None
    number = 1
    while True:
        starts = later_by_months(anchor, (number - 1) * months)
        is_over = ended is not None and local_day(ended, paid.zone) <= starts
        if number > 1 and (is_over or starts >= paid.today):
            return
        due = later_by_months(anchor, number * months)
        has_ended = ended is not None and local_day(ended, paid.zone) <= due
        yield Term(
            subscription=subscription,
            number=number,
            starts_on=starts,
            due_on=due,
            ended_at=ended if has_ended else None,
            planned_end=end,
        )
        number += 1


def later_by_months(day: date, months: int) -> date:
    """The same day of a later month, or its last one."""
    month = shifted_month(day.replace(day=1), months)
    return month.replace(day=min(day.day, monthrange(month.year, month.month)[1]))


def successors(paid: Paid) -> dict[str, str]:
    """Who took the place of each subscription that has ended; nobody takes two."""
    found: dict[str, str] = {}
    for _, _, name, successor in sorted(_candidates(paid)):
        if name not in found and successor not in found.values():
            found[name] = successor
    return found


def _candidates(paid: Paid) -> Iterator[tuple[timedelta, bool, str, str]]:
    """Pairs of an ended subscription and one that began soon after, or of the same plan before."""
    ends = {s["subscription_id"]: paid.ends(s["subscription_id"]) for s in paid.subscriptions}
    starts = {s["subscription_id"]: paid.begins(s["subscription_id"]) for s in paid.subscriptions}
    for one, other in permutations(paid.subscriptions, 2):
        end, start = ends[one["subscription_id"]], starts[other["subscription_id"]]
        if one["account_id"] != other["account_id"] or end is None or start is None:
            continue
        began = starts[one["subscription_id"]]
        is_same = one["plan"] is not None and one["plan"] == other["plan"]
        overlaps = is_same and began is not None and began < start < end
        is_near = abs(start - end) <= timedelta(days=LATE)
        if end < paid.as_of and is_near and (start >= end or overlaps):
            names = (one["subscription_id"], other["subscription_id"])
            yield abs(start - end), one["plan"] != other["plan"], *names


def renewals(paid: Paid) -> list[dict[str, Any]]:
    """The rows of `fct_renewals`, without health."""
    after = successors(paid)
    rows = []
    for subscription in paid.subscriptions:
        for term in terms(paid, subscription):
            row = _renewal(paid, term, after.get(subscription["subscription_id"]))
            if row is not None:
                rows.append(row)
    return rows


def _renewal(paid: Paid, term: Term, successor: str | None) -> dict[str, Any] | None:
    name = term.subscription["subscription_id"]
    until = min(first_instant(term.due_on, paid.zone), paid.as_of)
    if term.planned_end is not None:
        until = min(until, term.planned_end)
    due_rows = [row for row in paid.stretches(name) if holds_before(row, until)]
    due = sum((row["amount"] for row in due_rows), ZERO)
    if due <= 0:
        return None
    by, on = _renewed(paid, term, successor)
    renewed = _renewed_mrr(paid, due_rows, by, on)
    outcome = _outcome(paid, term, due, renewed, on)
    is_renewed = outcome not in ("open", "churned")
    end_day = None if term.planned_end is None else local_day(term.planned_end, paid.zone)
    notice = term.subscription["notice_days"]
    return {
        "subscription_id": name,
        "renewal_on": term.due_on,
        "account_id": term.subscription["account_id"],
        "month": term.due_on.replace(day=1),
        "term_number": term.number,
        "term_starts_on": term.starts_on,
        "notice_window_starts_on": None if notice is None else term.due_on - timedelta(days=notice),
        "outcome": outcome,
        "renewed_by_subscription_id": by if is_renewed else None,
        "renewed_on": on if is_renewed else None,
        "arr_due": 12 * due,
        "arr_renewed": None if outcome == "open" else 12 * renewed,
        "arr_renewed_capped": None if outcome == "open" else 12 * min(due, renewed),
        "days_early_or_late": (on - term.due_on).days if on is not None and is_renewed else None,
        "is_due": term.due_on < paid.today,
        "is_cancellation_scheduled": outcome == "open"
        and end_day is not None
        and end_day <= term.due_on,
    }


def _outcome(paid: Paid, term: Term, due: Decimal, renewed: Decimal, on: date | None) -> str:
    if on is None and term.due_on >= paid.today and term.ended_at is None:
        return "open"
    if on is None or renewed == 0:
        return "churned"
    if on > term.due_on:
        return "late"
    if renewed == due:
        return "renewed"
    return "expanded" if renewed > due else "contracted"


def _renewed(paid: Paid, term: Term, successor: str | None) -> tuple[str | None, date | None]:
    """Which subscription goes on after the term, and since what day."""
    name = term.subscription["subscription_id"]
    begins = None if successor is None or term.ended_at is None else paid.begins(successor)
    taken_on = None if begins is None else local_day(begins, paid.zone)
    if taken_on is not None and taken_on <= term.due_on:
        return successor, taken_on
    day_after = first_instant(term.due_on + timedelta(days=1), paid.zone)
    if term.due_on < paid.today and any(
        row["amount"] > 0 and holds_before(row, day_after) for row in paid.stretches(name)
    ):
        return name, term.due_on
    last = term.due_on + timedelta(days=LATE)
    resumed = [
        (local_day(row["starts_at"], paid.zone), name)
        for row in paid.stretches(name)
        if row["amount"] > 0
        and row["starts_at"] < paid.as_of
        and term.due_on < local_day(row["starts_at"], paid.zone) <= last
    ]
    # Of one day, the subscription itself goes before another one.
    found = [(day, 0, who) for day, who in resumed]
    if taken_on is not None and successor is not None and taken_on <= last:
        found.append((taken_on, 1, successor))
    day, _, who = min(found, default=(None, 0, None))
    return who, day


def _renewed_mrr(paid: Paid, due_rows: Sequence[Row], by: str | None, on: date | None) -> Decimal:
    """What followed, at the rate of what was due."""
    if by is None or on is None:
        return ZERO
    instant = min(first_instant(on + timedelta(days=1), paid.zone), paid.as_of)
    currency = min(row["currency"] for row in due_rows)
    rate = min(row["rate"] for row in due_rows)
    return sum(
        (
            at_rate(row, rate) if row["currency"] == currency else row["amount"]
            for row in paid.stretches(by)
            if holds_before(row, instant)
        ),
        ZERO,
    )


def renewal_rates(rows: Sequence[Row], dim: Sequence[Row]) -> list[dict[str, Any]]:
    """The rows of `renewal_rate_monthly`."""
    groups: dict[tuple[date, str, str], list[Row]] = {}
    for row in rows:
        own = [r for r in dim if r["account_id"] == row["account_id"]]
        own.sort(key=lambda r: r["month"])
        before = [r for r in own if r["month"] < row["month"]]
        stood = before[-1:] or own[:1]
        at = stood[0] if stood else None
        for by in ("all", *BY):
            groups.setdefault((row["month"], by, segment_of(at, by)), []).append(row)
    return [_rate(key, group) for key, group in groups.items()]


def _rate(key: tuple[date, str, str], group: Sequence[Row]) -> dict[str, Any]:
    due = [row for row in group if row["is_due"]]
    renewed = [row for row in due if row["outcome"] != "churned"]
    arr_due = sum((row["arr_due"] for row in due), ZERO)
    capped = sum((row["arr_renewed_capped"] for row in due), ZERO)
    return {
        "month": key[0],
        "segment_by": key[1],
        "segment": key[2],
        "renewals_due_count": len(due),
        "renewed_count": len(renewed),
        "late_count": sum(row["outcome"] == "late" for row in due),
        "churned_count": len(due) - len(renewed),
        "open_count": sum(row["outcome"] == "open" for row in group),
        "arr_due": arr_due,
        "arr_renewed": capped,
        "arr_renewed_uncapped": sum((row["arr_renewed"] for row in due), ZERO),
        "logo_renewal_ratio": ratio(len(renewed), len(due)),
        "arr_renewal_ratio": ratio(capped, arr_due),
    }


def subscription_rows(paid: Paid) -> list[dict[str, Any]]:
    """The rows of `fct_subscriptions`: MRR, and the next renewal if nothing speaks against it."""
    month = (paid.today - timedelta(days=1)).replace(day=1)
    found = []
    for subscription in paid.subscriptions:
        name = subscription["subscription_id"]
        in_force = {
            row["phase"]
            for row in paid.phases
            if row["subscription_id"] == name and holds_before(row, paid.as_of)
        }
        now = paid.mrr_before(name, paid.as_of)
        found.append(
            {
                "subscription_id": name,
                "account_id": subscription["account_id"],
                "mrr": paid.mrr_before(name, first_instant(month, paid.zone)),
                "current_mrr": now,
                "arr": 12 * now,
                "next_renewal_on": _next_renewal(paid, subscription, in_force),
                "is_trial": "trial" in in_force,
            }
        )
    return found


def _next_renewal(paid: Paid, subscription: Row, in_force: set[str]) -> date | None:
    end = paid.ends(subscription["subscription_id"])
    if in_force != {"paid"} or (end is not None and end < paid.as_of):
        return None
    days = [t.due_on for t in terms(paid, subscription) if t.due_on >= paid.today]
    day = min(days, default=None)
    is_over = day is not None and end is not None and local_day(end, paid.zone) <= day
    return None if is_over else day
