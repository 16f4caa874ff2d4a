"""What a ticket was and when, in plain Python; shares no code with the product.

Source of every rule: the project's spec 40 ("Ticket age", "Open tickets by priority or type for a
month") and 00 ("What dates a row"). What changed is replayed from its first word on; what a change
doesn't tell is as it was; after the last word about open or solved the ticket's own row speaks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.recompute.support_world import Row, TicketWorld
from tests.recompute.versions import is_told

OPEN_WORDS = {"new", "open", "pending", "on hold", "on_hold", "on-hold", "hold"}
SOLVED_WORDS = {"solved", "resolved", "closed"}
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True)
class Interval:
    """Open from an instant until another one, or still."""

    start: datetime
    end: datetime | None

    def length(self, until: datetime) -> int:
        """Microseconds up to an instant after its start."""
        end = until if self.end is None else min(self.end, until)
        return (end - self.start) // MICROSECOND

    def is_open_before(self, instant: datetime) -> bool:
        """Whether it has begun before an instant and lasts up to it."""
        return self.start < instant and (self.end is None or self.end >= instant)


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """One ticket under the account that it counts under."""

    account_id: str
    row: Row
    status: str | None
    changes: Sequence[Row]
    gone_at: datetime | None
    row_end: datetime | None
    intervals: Sequence[Interval]

    @property
    def created_at(self) -> datetime:
        at: datetime = self.row["created_at"]
        return at

    @property
    def left_out_as(self) -> str | None:
        if self.row["is_spam"]:
            return "spam"
        if self.row["is_deleted"]:
            return "deleted"
        return None if self.row["merged_into_ticket_id"] is None else "merged"

    @property
    def is_history_assumed(self) -> bool:
        return not any(c["field"] in ("status", "priority", "type") for c in self.changes)

    def word(self, field: str, at: datetime) -> str | None:
        """The word of a field in force at an instant, a change of that instant included."""
        told = [c for c in self.changes if c["field"] == field]
        if not told:
            return _word(field, self.row[field])
        past = [c for c in told if c["changed_at"] <= max(at, self.created_at)]
        return _word(field, past[-1]["new_value"] if past else told[0]["old_value"])

    def current_status(self) -> str | None:
        """The last word; the row's own where that is the last one, or the only one."""
        later = [c for c in self.changes if c["field"] == "status"]
        if not later:
            return _word("status", self.status)
        last = later[-1]["changed_at"]
        if self.row_end is not None and self.row_end >= max(last, self.created_at):
            return _word("status", self.status)
        return self.word("status", last)


def _word(field: str, text: str | None) -> str | None:
    lower = text.strip().lower() if text is not None and field in ("status", "priority") else text
    return lower or None


def tickets_of(world: TicketWorld) -> list[Ticket]:
    """Every ticket of an account that counts, from its latest version that counts."""
    latest, gone = _latest(world)
    found = []
    for row in latest.values():
        if row["created_at"] < world.as_of:
            account = world.account(row)
            if account is not None:
                found.append(_ticket(world, account, row, gone.get(row["ticket_id"])))
    return found


def _latest(world: TicketWorld) -> tuple[dict[str, Row], dict[str, datetime]]:
    """Each ticket's version that counts, and when an extract no longer had it."""
    latest: dict[str, Row] = {}
    gone: dict[str, datetime] = {}
    for row in world.landing.tickets:
        told, name = is_told(row, world.as_of), row["ticket_id"]
        if row.get("_is_deleted"):
            gone |= {name: row["_version_at"]} if told else {}
        elif told or name not in latest:
            latest[name] = row
    return latest, gone


def _ticket(world: TicketWorld, account: str, row: Row, missed_at: datetime | None) -> Ticket:
    gone_at = None
    if missed_at is not None:
        midnight = world.first_instant(world.day(missed_at - MICROSECOND))
        gone_at = world.happened(midnight)
    created = row["created_at"]
    gone_at = None if gone_at is None else max(gone_at, created)
    changes = sorted(
        (
            c
            for c in world.landing.changes
            if c["ticket_id"] == row["ticket_id"]
            and c["changed_at"] < world.as_of
            and (gone_at is None or c["changed_at"] < gone_at)
        ),
        key=lambda c: c["changed_at"],
    )
    status = _status(world, row)
    end = _row_end(world, row, status, gone_at)
    is_left_out = row["is_spam"] or row["is_deleted"] or row["merged_into_ticket_id"] is not None
    end = None if is_left_out or not _speaks(end, created, changes) else end
    return Ticket(
        account_id=account,
        row=row,
        status=status,
        changes=changes,
        gone_at=gone_at,
        row_end=end,
        intervals=() if is_left_out else _intervals(created, changes, end, gone_at),
    )


def _status(world: TicketWorld, row: Row) -> str | None:
    """The row's word, without what has not happened yet."""
    ends = [at for at in (row["solved_at"], row["closed_at"]) if at is not None]
    if ends and min(ends) >= world.as_of:
        return "open"
    word = _word("status", row["status"])
    closed = row["closed_at"]
    return "solved" if word == "closed" and closed is not None and closed >= world.as_of else word


def _row_end(
    world: TicketWorld, row: Row, status: str | None, gone_at: datetime | None
) -> datetime | None:
    """When the row alone says that the ticket ended; not before it began."""
    end = None
    if status not in OPEN_WORDS:
        end = world.happened(row["solved_at"]) or world.happened(row["closed_at"])
        if end is None and status in SOLVED_WORDS:
            end = row["updated_at"] or row["created_at"]
    ends = [at for at in (end, gone_at) if at is not None and at < world.as_of]
    return max(min(ends), row["created_at"]) if ends else None


def _speaks(end: datetime | None, created: datetime, changes: Sequence[Row]) -> bool:
    """Whether the row's end comes after the last change that tells of open or solved."""
    told = [c["changed_at"] for c in _tellings(changes) if c["changed_at"] > created]
    return end is not None and (not told or end > told[-1])


def _tellings(changes: Sequence[Row]) -> list[Row]:
    return [
        c
        for c in changes
        if c["field"] == "status" and _word("status", c["new_value"]) in OPEN_WORDS | SOLVED_WORDS
    ]


def _intervals(
    created: datetime, changes: Sequence[Row], end: datetime | None, gone_at: datetime | None
) -> list[Interval]:
    """A list of turns, open or not, played from the opening on."""
    turns: list[tuple[datetime, bool]] = [(created, True)]
    statuses = [c for c in changes if c["field"] == "status"]
    early = [c["new_value"] for c in statuses if c["changed_at"] <= created]
    first = early[-1] if early else (statuses[0]["old_value"] if statuses else None)
    if _word("status", first) in SOLVED_WORDS:
        turns.append((created, False))
    turns += [
        (c["changed_at"], _word("status", c["new_value"]) in OPEN_WORDS)
        for c in _tellings(changes)
        if c["changed_at"] > created
    ]
    turns += [(at, False) for at in (end, gone_at) if at is not None]
    found: list[Interval] = []
    since: datetime | None = None
    for at, is_open in sorted(turns, key=lambda turn: turn[0]):
        if is_open and since is None:
            since = at
        elif not is_open and since is not None:
            found.append(Interval(start=since, end=at))
            since = None
    return found if since is None else [*found, Interval(start=since, end=None)]
