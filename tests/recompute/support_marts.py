"""The support marts again, in plain Python; shares no code with the product.

Source of every rule: the project's spec 40 ("Ticket age", "Open tickets by priority or type for a
month") and the columns' own descriptions. Slow and simple: for every month every ticket is
asked anew.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

from tests.recompute.support_histories import MICROSECOND, Interval, Ticket, tickets_of
from tests.recompute.support_world import TicketWorld

DAY_US = 86_400_000_000
NORMAL = ("normal", "medium")

Key = tuple[str, date, str, str]


def fct_tickets(world: TicketWorld) -> list[dict[str, Any]]:
    """One row per ticket of an account that counts."""
    return [_fact(world, ticket) for ticket in tickets_of(world)]


def _fact(world: TicketWorld, ticket: Ticket) -> dict[str, Any]:
    row, now = ticket.row, world.as_of - MICROSECOND
    counts = ticket.left_out_as is None
    open_us = open_time(ticket, world.as_of) if counts else None
    answered = world.happened(row["first_response_at"])
    resolved = resolved_at(ticket)
    waited = None if answered is None else days(ticket.created_at, answered)
    return {
        "ticket_id": row["ticket_id"],
        "account_id": ticket.account_id,
        "requester_email": row["requester_email"],
        "assignee_id": row["assignee_id"],
        "subject": row["subject"],
        "status": ticket.current_status(),
        "priority": ticket.word("priority", now),
        "type": ticket.word("type", now),
        "priority_at_opening": ticket.word("priority", ticket.created_at),
        "type_at_opening": ticket.word("type", ticket.created_at),
        "link": row["url"],
        "left_out_as": ticket.left_out_as,
        "open_intervals": tuple((i.start, i.end) for i in ticket.intervals) if counts else None,
        "reopen_count": max(len(ticket.intervals) - 1, 0),
        "open_us": open_us,
        "open_days": None if open_us is None else Fraction(open_us, DAY_US),
        "first_response_days": waited if waited is not None and waited >= 0 else None,
        "resolution_days": None if resolved is None else days(ticket.created_at, resolved),
        "is_open": is_open(ticket),
        "is_escalated": bool(row["is_escalated"]),
        "is_spam": bool(row["is_spam"]),
        "is_history_assumed": ticket.is_history_assumed,
        "created_on": world.day(ticket.created_at),
        "first_response_at": answered,
        "last_opened_at": ticket.intervals[-1].start if counts else None,
        "first_resolved_at": ticket.intervals[0].end if counts else None,
        "resolved_at": resolved,
    }


def days(start: datetime, end: datetime) -> Fraction:
    """Days between two instants."""
    return Fraction((end - start) // MICROSECOND, DAY_US)


def open_time(ticket: Ticket, until: datetime) -> int:
    """Microseconds in which a ticket was open before an instant."""
    return sum(i.length(until) for i in ticket.intervals if i.start < until)


def is_open(ticket: Ticket) -> bool:
    """Whether it is open still."""
    return bool(ticket.intervals) and ticket.intervals[-1].end is None


def resolved_at(ticket: Ticket) -> datetime | None:
    """When the solution came that stands."""
    return ticket.intervals[-1].end if ticket.intervals else None


@dataclass(kw_only=True)
class Cell:
    """What is counted under one account, month, priority and type."""

    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    ages: list[int] = field(default_factory=list)


def support_monthly(world: TicketWorld) -> list[dict[str, Any]]:
    """One row per account, month, priority and type, from the first such ticket on."""
    cells: dict[Key, Cell] = defaultdict(Cell)
    for ticket in tickets_of(world):
        opened = _key(world.month(ticket.created_at), ticket, ticket.created_at)
        cells[opened].counts[ticket.left_out_as or "opened"] += 1
        for month in _months(world.month(ticket.created_at), world.month(world.as_of)):
            _count(world, ticket, month, cells)
    last = world.month(world.as_of - MICROSECOND)
    firsts: dict[tuple[str, str, str], date] = {}
    for account, month, priority, kind in sorted(cells):
        firsts.setdefault((account, priority, kind), month)
    return [
        _monthly_row(world, key, cells[key] if key in cells else Cell())
        for (account, priority, kind), first in firsts.items()
        for key in ((account, month, priority, kind) for month in _months(first, last))
    ]


def _count(world: TicketWorld, ticket: Ticket, month: date, cells: dict[Key, Cell]) -> None:
    """What a ticket adds to a month besides its opening."""
    start, end = world.first_instant(month), world.month_end(month)
    closings = [i.end for i in ticket.intervals if i.end is not None and start <= i.end < end]
    if closings:
        cells[_key(month, ticket, max(closings))].counts["closed"] += 1
    if any(_touches(i, start, end) for i in ticket.intervals):
        cell = cells[_key(month, ticket, end - MICROSECOND)]
        cell.ages.append(open_time(ticket, end))
        cell.counts["end"] += any(i.is_open_before(end) for i in ticket.intervals)


def _touches(interval: Interval, start: datetime, end: datetime) -> bool:
    """Whether it lies in the month anywhere, if only for no time."""
    begins = start <= interval.start < end
    return begins or (interval.start < start and (interval.end is None or interval.end > start))


def _key(month: date, ticket: Ticket, at: datetime) -> Key:
    priority, kind = (ticket.word(name, at) or "(none)" for name in ("priority", "type"))
    return ticket.account_id, month, priority, kind


def _months(first: date, last: date) -> Iterable[date]:
    while first <= last:
        yield first
        first = (first.replace(day=28) + timedelta(days=4)).replace(day=1)


def _monthly_row(world: TicketWorld, key: Key, cell: Cell) -> dict[str, Any]:
    account, month, priority, kind = key
    following = (month.replace(day=28) + timedelta(days=4)).replace(day=1)
    number = len(cell.ages)
    return {
        "account_id": account,
        "month": month,
        "priority": priority,
        "type": kind,
        "opened": cell.counts["opened"],
        "closed": cell.counts["closed"],
        "open_at_month_end": cell.counts["end"],
        "open_at_any_time": number,
        "open_days_sum": Fraction(sum(cell.ages), DAY_US),
        "open_days_number": number,
        "open_days_mean": Fraction(sum(cell.ages), DAY_US * number) if number else None,
        "open_days_median": median([Fraction(age, DAY_US) for age in cell.ages]),
        "merged": cell.counts["merged"],
        "spam": cell.counts["spam"],
        "deleted": cell.counts["deleted"],
        "is_partial": world.first_instant(following) > world.as_of,
    }


def median(values: Sequence[Fraction]) -> Fraction | None:
    """The middle one, or the mean of the two in the middle."""
    ranked = sorted(values)
    if not ranked:
        return None
    return (ranked[(len(ranked) - 1) // 2] + ranked[len(ranked) // 2]) / 2


@dataclass(frozen=True, kw_only=True)
class Windows:
    """Full local days that end with the as-of day's start."""

    world: TicketWorld

    def holds(self, instant: datetime | None, newest: int, oldest: int) -> bool:
        """Whether an instant lies between so many days back and so many days back."""
        if instant is None:
            return False
        today = self.world.day(self.world.as_of)
        return newest <= (today - self.world.day(instant)).days <= oldest


def account_support(world: TicketWorld) -> list[dict[str, Any]]:
    """One row per account that counts."""
    tickets = [t for t in tickets_of(world) if t.left_out_as is None]
    return [
        _account_row(world, name, [t for t in tickets if t.account_id == name])
        for name in world.accounts()
    ]


def _account_row(world: TicketWorld, name: str, tickets: Sequence[Ticket]) -> dict[str, Any]:
    still = [t for t in tickets if is_open(t)]
    then = world.first_instant(world.day(world.as_of) - timedelta(days=30))
    before = sum(any(i.is_open_before(then) for i in t.intervals) for t in tickets)
    return {
        "account_id": name,
        "open_tickets": len(still),
        **_by_priority(still, world.as_of - MICROSECOND),
        "open_escalated": sum(bool(t.row["is_escalated"]) for t in still),
        **_oldest(world, still),
        "open_30d_ago": before,
        "backlog_change_30d": len(still) - before,
        **_volume(Windows(world=world), tickets),
        **_satisfaction(Windows(world=world), tickets),
        **_speed(Windows(world=world), tickets),
        **_reopenings(Windows(world=world), tickets),
        "is_history_assumed": any(t.is_history_assumed for t in tickets),
    }


def _by_priority(still: Sequence[Ticket], now: datetime) -> dict[str, int]:
    words = [t.word("priority", now) for t in still]
    found = {f"open_{word}": words.count(word) for word in ("urgent", "high", "low")}
    found["open_normal"] = sum(word in NORMAL for word in words)
    return found | {"open_other": len(words) - sum(found.values())}


def _oldest(world: TicketWorld, still: Sequence[Ticket]) -> dict[str, Any]:
    first = min(still, key=lambda t: (t.created_at, t.row["ticket_id"]), default=None)
    return {
        "oldest_open_ticket_id": first and first.row["ticket_id"],
        "oldest_open_at": first and first.created_at,
        "oldest_open_days": first and Fraction(open_time(first, world.as_of), DAY_US),
    }


def _volume(windows: Windows, tickets: Sequence[Ticket]) -> dict[str, Any]:
    recent = [t for t in tickets if windows.holds(t.created_at, 1, 30)]
    prior = [t for t in tickets if windows.holds(t.created_at, 31, 60)]
    return {
        "opened_30d": len(recent),
        "opened_prior_30d": len(prior),
        "opened_change_30d": Fraction(len(recent), len(prior)) - 1 if prior else None,
        "escalated_30d": sum(bool(t.row["is_escalated"]) for t in recent),
        "escalated": sum(bool(t.row["is_escalated"]) for t in tickets),
    }


def _satisfaction(windows: Windows, tickets: Sequence[Ticket]) -> dict[str, Any]:
    scores = [(t, t.row["satisfaction_score"]) for t in tickets]
    told = [Fraction(score) for _, score in scores if score is not None]
    lately = [
        Fraction(score)
        for t, score in scores
        if score is not None and windows.holds(resolved_at(t), 1, 90)
    ]
    return {
        "satisfaction_answers": len(told),
        "satisfaction_mean": sum(told) / len(told) if told else None,
        "satisfaction_answers_90d": len(lately),
        "satisfaction_mean_90d": sum(lately) / len(lately) if lately else None,
    }


def _speed(windows: Windows, tickets: Sequence[Ticket]) -> dict[str, Any]:
    answers = [
        days(t.created_at, at)
        for t in tickets
        if (at := windows.world.happened(t.row["first_response_at"])) is not None
        and at >= t.created_at
        and windows.holds(at, 1, 90)
    ]
    solutions = [
        days(t.created_at, at)
        for t in tickets
        if (at := resolved_at(t)) is not None and windows.holds(at, 1, 90)
    ]
    return {
        "first_responses_90d": len(answers),
        "first_response_days_median_90d": median(answers),
        "resolutions_90d": len(solutions),
        "resolution_days_median_90d": median(solutions),
    }


def _reopenings(windows: Windows, tickets: Sequence[Ticket]) -> dict[str, Any]:
    closed = [t for t in tickets if any(windows.holds(i.end, 1, 90) for i in t.intervals)]
    again = [t for t in closed if any(windows.holds(i.end, 1, 90) for i in t.intervals[:-1])]
    return {
        "closed_30d": sum(any(windows.holds(i.end, 1, 30) for i in t.intervals) for t in tickets),
        "closed_90d": len(closed),
        "reopened_90d": len(again),
        "reopen_ratio_90d": Fraction(len(again), len(closed)) if closed else None,
    }
