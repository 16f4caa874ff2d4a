"""What a ticket was at the end of a day, in plain Python; shares no code with the product.

Source of every rule: the project's spec 40 ("Ticket age", "Open tickets by priority or type for a
month") and 00 (a daily row shows the state in force on that day). The ticket's changes are played
one after the other up to the day's end; what they leave open its own row ends.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Row = Mapping[str, Any]

OPEN_WORDS = {"new", "open", "pending", "on hold", "on_hold", "on-hold", "hold"}
SOLVED_WORDS = {"solved", "resolved", "closed"}


@dataclass(frozen=True, kw_only=True)
class TicketState:
    """Just before an instant: open or not, with which priority, and solved last when."""

    is_open: bool
    priority: str | None
    solved_at: datetime | None


def state_before(ticket: Row, changes: Iterable[Row], instant: datetime) -> TicketState:
    """A ticket's state, from the version and the changes that are known of it."""
    gone, created = ticket.get("gone_at"), ticket["created_at"]
    told = sorted(
        (c for c in changes if gone is None or c["changed_at"] < gone),
        key=lambda c: c["changed_at"],
    )
    is_open, solved_at = True, None
    for at, opens in _turns(ticket, [c for c in told if c["field"] == "status"]):
        if at >= instant:
            break
        if is_open and not opens:
            solved_at = at
        is_open = opens
    priorities = [c for c in told if c["field"] == "priority"]
    past = [c for c in priorities if c["changed_at"] < instant or c["changed_at"] <= created]
    if past:
        priority = past[-1]["new_value"]
    else:
        priority = priorities[0]["old_value"] if priorities else ticket.get("priority")
    return TicketState(
        is_open=is_open,
        priority=priority and priority.strip().lower(),
        solved_at=None if is_open else solved_at,
    )


def _turns(ticket: Row, statuses: list[Row]) -> list[tuple[datetime, bool]]:
    """When it was said to be open or not after its creation, in order."""
    created = ticket["created_at"]
    turns = []
    early = [c["new_value"] for c in statuses if c["changed_at"] <= created]
    if statuses and _word(early[-1] if early else statuses[0]["old_value"]) in SOLVED_WORDS:
        turns.append((created, False))
    last = None
    for change in statuses:
        word = _word(change["new_value"])
        if change["changed_at"] > created and word in OPEN_WORDS | SOLVED_WORDS:
            last = change["changed_at"]
            turns.append((last, word in OPEN_WORDS))
    end = _end_of_the_row(ticket)
    if end is not None and (last is None or max(end, created) > last):
        turns.append((max(end, created), False))
    gone = ticket.get("gone_at")
    if gone is not None:
        turns.append((max(gone, created), False))
    return sorted(turns, key=lambda turn: turn[0])


def _end_of_the_row(ticket: Row) -> datetime | None:
    """When the ticket's own row says that it was solved, or that it is gone."""
    word = _word(ticket.get("status"))
    ends = [at for at in (ticket.get("solved_at"), ticket.get("closed_at")) if at is not None]
    end = ends[0] if ends else None
    if end is None and word in SOLVED_WORDS:
        end = ticket.get("updated_at") or ticket["created_at"]
    found = [at for at in (None if word in OPEN_WORDS else end, ticket.get("gone_at")) if at]
    return min(found, default=None)


def _word(text: str | None) -> str:
    return (text or "").strip().lower()
