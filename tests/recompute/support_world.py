"""Random tickets with changes that are rich in oddities, and whose and when they are.

Instants and words come from small pools, so that what breaks a count (a month's first instant, the
as-of itself, two changes at once, a word that nobody knows) happens all the time. Rows have
every column that the marts read, None where empty. Shares no code with the product.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.recompute.books import AS_OFS, MICROSECOND, Dice, DrawnDice, Rows, SeededDice
from tests.recompute.links import linked
from tests.recompute.merges import survivors

Row = Mapping[str, Any]

STATUSES = (
    "open", "Open ", "new", "pending", "on_hold", "On hold", "hold", "solved", "Solved", "closed",
    "resolved", "parked", None,
)  # fmt: skip
PRIORITIES = ("low", "normal", "Medium", "high", "URGENT", "p5", "", None)
TYPES = ("bug", "question", "", None)
FIELDS = ("status", "status", "status", "priority", "type", "assignee")
WORDS = {"status": STATUSES, "priority": PRIORITIES, "type": TYPES, "assignee": ("ann", None)}
SCORES = (None, None, 1.0, 4.0, 4.25, 5.0)


@dataclass(frozen=True, kw_only=True)
class TicketLanding:
    """Canonical rows of one generated landing, and the as-of instant to look at them from."""

    as_of: datetime
    accounts: Rows
    links: Rows
    merges: Rows
    tickets: Rows
    changes: Rows

    def raw_tables(self) -> dict[str, Rows]:
        """The landing by raw table."""
        return {
            "crm.accounts": self.accounts,
            "crm.account_links": self.links,
            "crm.account_merges": self.merges,
            "tickets.tickets": self.tickets,
            "tickets.ticket_changes": self.changes,
        }


@dataclass(frozen=True, kw_only=True)
class TicketWorld:
    """Whose rows are whose, and which day it is."""

    landing: TicketLanding
    zone: tzinfo

    @property
    def as_of(self) -> datetime:
        return self.landing.as_of

    def day(self, instant: datetime) -> date:
        return instant.astimezone(self.zone).date()

    def month(self, instant: datetime) -> date:
        return self.day(instant).replace(day=1)

    def first_instant(self, day: date) -> datetime:
        return datetime.combine(day, time(), tzinfo=self.zone).astimezone(UTC)

    def month_end(self, month: date) -> datetime:
        """Its last instant that has come, not counted itself."""
        following = (month.replace(day=28) + timedelta(days=4)).replace(day=1)
        return min(self.first_instant(following), self.as_of)

    def happened(self, instant: datetime | None) -> datetime | None:
        return instant if instant is not None and instant < self.as_of else None

    def account(self, row: Row) -> str | None:
        """Under which account a ticket counts now; None where it counts nowhere."""
        name = linked(self.landing.links, "tickets", row["account_id"], row["created_at"])
        name = self.owners().get(name, name)
        return name if name in self.accounts() else None

    def owners(self) -> dict[str, str]:
        known = {a["account_id"] for a in self.landing.accounts if a["created_at"] < self.as_of}
        return survivors([m for m in self.landing.merges if m["merged_at"] < self.as_of], known)

    def accounts(self) -> list[str]:
        """Accounts that count: there, no test, not part of another one."""
        return [
            row["account_id"]
            for row in self.landing.accounts
            if row["created_at"] < self.as_of
            and not row["is_test"]
            and row["account_id"] not in self.owners()
        ]


def seeded_tickets(seed: int, *, accounts: int = 12, tickets: int = 300) -> TicketLanding:
    """A landing of that many accounts and tickets; the same seed gives the same rows."""
    return ticket_landing(SeededDice(np.random.default_rng(seed)), accounts, tickets)


@st.composite
def ticket_landings(draw: Callable[[st.SearchStrategy[Any]], Any]) -> TicketLanding:
    """Small landings: two accounts and up to five tickets."""
    dice = DrawnDice(draw)
    return ticket_landing(dice, 2, dice.pick(range(6)))


def ticket_landing(dice: Dice, accounts: int, tickets: int) -> TicketLanding:
    """A whole landing."""
    as_of = dice.pick(AS_OFS)
    instants = _instants(as_of)
    names = [f"a{number:02d}" for number in range(accounts)]
    asked = [_ticket(dice, f"t{number:04d}", names, instants) for number in range(tickets)]
    versions = [row for ticket in asked for row in _versions(dice, ticket, instants)]
    return TicketLanding(
        as_of=as_of,
        accounts=[_account(dice, name) for name in names],
        links=[
            *(_link(dice, name, instants) for name in names[::3]),
            *(_link_anew(dice, name, names, instants) for name in names[::6]),
        ],
        merges=[
            {"from_account_id": names[-1], "into_account_id": names[0], "merged_at": at}
            for at in dice.pick(((), (instants[4],), (as_of,)))
        ],
        tickets=versions,
        changes=[row for ticket in asked for row in _changes(dice, ticket, instants)],
    )


def _instants(as_of: datetime) -> tuple[datetime, ...]:
    """The instants at which anything happens: edges most of them."""
    return (
        _utc(2023, 10, 31, 23), _utc(2023, 11, 1), _utc(2023, 12, 1), _utc(2024, 1, 1),
        _utc(2024, 1, 1) - MICROSECOND, _utc(2024, 1, 15, 9), _utc(2024, 1, 31, 5),
        _utc(2024, 2, 1), _utc(2024, 2, 29, 12), _utc(2024, 2, 29, 15),
        _utc(2024, 3, 1), _utc(2024, 3, 1, 5),
        as_of - timedelta(days=90), as_of - timedelta(days=60), as_of - timedelta(days=30),
        as_of - timedelta(days=30) - MICROSECOND, as_of - timedelta(hours=9), as_of - MICROSECOND,
        as_of, as_of + timedelta(days=20),
    )  # fmt: skip


def _account(dice: Dice, name: str) -> dict[str, Any]:
    return {
        "account_id": name,
        "account_name": f"Account {name}",
        "created_at": dice.pick((_utc(2023, 5, 1), _utc(2023, 11, 30, 23), _utc(2024, 1, 9))),
        "is_test": dice.pick((False,) * 9 + (True, None)),
    }


def _link(dice: Dice, name: str, instants: Sequence[datetime]) -> dict[str, Any]:
    return {
        "source": dice.pick(("tickets", "tickets", "invoices")),
        "source_account_id": f"org-{name}",
        "account_id": name,
        "valid_from": dice.pick((None, None, *instants[:3])),
        "valid_to": dice.pick((None, None, *instants[9:])),
    }


def _link_anew(
    dice: Dice, name: str, names: Sequence[str], instants: Sequence[datetime]
) -> dict[str, Any]:
    """The same id is another account's from an instant on."""
    own = {"account_id": dice.pick(names), "valid_from": dice.pick(instants[1:5])}
    return _link(dice, name, instants) | own


def _ticket(
    dice: Dice, name: str, names: Sequence[str], instants: Sequence[datetime]
) -> dict[str, Any]:
    owner = dice.pick(names)
    often = (None, *instants)
    return {
        "ticket_id": name,
        "account_id": dice.pick((owner, owner, f"org-{owner}", "stranger")),
        "requester_id": "u1",
        "requester_email": "u1@example.com",
        "subject": f"About {name}",
        "status": dice.pick(STATUSES),
        "priority": dice.pick(PRIORITIES),
        "type": dice.pick(TYPES),
        "assignee_id": dice.pick(("ann", None)),
        "tags": "x",
        "url": f"https://desk.example/{name}",
        "created_at": dice.pick(instants),
        "first_response_at": dice.pick(often),
        "solved_at": dice.pick((None, *often)),
        "closed_at": dice.pick((None, None, *often)),
        "satisfaction_score": dice.pick(SCORES),
        "is_escalated": dice.pick((True, False, None)),
        "is_spam": dice.pick((False,) * 8 + (True, None)),
        "is_deleted": dice.pick((False,) * 8 + (True, None)),
        "merged_into_ticket_id": dice.pick((None,) * 9 + ("t0000",)),
        "updated_at": dice.pick(often),
    }


def _versions(dice: Dice, ticket: Row, instants: Sequence[datetime]) -> Rows:
    """The ticket; at times an older version before it, or its end in a full extract after it."""
    first = {**ticket, "_version_at": None, "_known_at": None}
    kind = dice.pick(("one", "one", "one", "older", "ended"))
    if kind == "older":
        old = {**first, "status": dice.pick(STATUSES), "priority": "low", "is_spam": False}
        return [old, {**first, "_version_at": _utc(2024, 6, 1)}]
    if kind == "ended":
        gone = {"ticket_id": ticket["ticket_id"], "_is_deleted": True}
        return [first, {**gone, "_version_at": dice.pick(instants)}]
    return [first]


def _changes(dice: Dice, ticket: Row, instants: Sequence[datetime]) -> Rows:
    """None, or some; of one field at one instant never two."""
    found = {}
    for _ in range(dice.pick((0, 0, 1, 2, 3, 5, 8))):
        field = dice.pick(FIELDS)
        row = {
            "ticket_id": ticket["ticket_id"],
            "changed_at": dice.pick((*instants, ticket["created_at"])),
            "field": field,
            "old_value": dice.pick(WORDS[field]),
            "new_value": dice.pick(WORDS[field]),
        }
        found[row["field"], row["changed_at"]] = row
    return list(found.values())


def _utc(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=UTC)  # type: ignore[arg-type, misc]
