"""Random landings in daily folders: rows that arrive late, are corrected, or disappear again.

Every row says from when it is known, and the loader's book says which folder brought it. What
arrives on the first day is known as it happened. Lifecycles are plausible ones (a plan is not
overtaken by what happens later), since a plan's earlier wording is nowhere in an extract.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.recompute.books import Dice, DrawnDice, Rows, SeededDice

ACCOUNTS = ("a", "b", "c")
ONE_DAY = timedelta(days=1)
# The first folder, and how many days the landing goes on after it.
FIRST_DAY = datetime(2024, 1, 20, tzinfo=UTC)
DAYS = 75
# Days from the happening to the folder that tells of it.
DELAYS = (0, 0, 0, 0, 1, 2, 5, 40)
HOURS = (0.0, 0.0, 9.0, 12.0, 23.99)
EVENT_TYPES = ("use", "use", "use", "login", "error", "heartbeat", "identify")
PAID = ("active", "Active", "past_due", "trialing", "paused", None)


@dataclass(kw_only=True)
class Folders:
    """Rows by table, as they were delivered, and the book of deliveries."""

    tables: dict[str, Rows] = field(default_factory=dict)
    deliveries: Rows = field(default_factory=list)

    def until(self, as_of: datetime) -> "Folders":
        """What had been delivered by an instant."""
        return Folders(
            tables={
                name: [row for row in rows if row["_known_at"] is None or row["_known_at"] <= as_of]
                for name, rows in self.tables.items()
            },
            deliveries=[
                d for d in self.deliveries if d["known_at"] is None or d["known_at"] <= as_of
            ],
        )


def seeded_folders(seed: int, *, things: int = 60) -> Folders:
    """A landing of that many visits and half as many tickets; the same seed, the same rows."""
    return folders(SeededDice(np.random.default_rng(seed)), things)


@st.composite
def drawn_folders(draw: Callable[[st.SearchStrategy[Any]], Any], *, things: int = 10) -> Folders:
    """Small landings."""
    dice = DrawnDice(draw)
    return folders(dice, dice.pick(range(things + 1)))


def folders(dice: Dice, things: int) -> Folders:
    """A whole landing of accounts a, b and c."""
    found = Folders()
    for name in ACCOUNTS:
        _account(dice, found, name)
        _subscriptions(dice, found, name)
    for number in range(things):
        _event(dice, found, number)
    for number in range(things // 2):
        _ticket(dice, found, number)
    for name in ACCOUNTS:
        for user in ("u", "v"):
            _user(dice, found, name, user)
    _merges(dice, found)
    _book(dice, found)
    return found


def land_row(
    found: Folders, table: str, row: dict[str, Any], folder: datetime, *, version: datetime | None
) -> None:
    """Puts a row into the folder of a day; the first folder's are known as they happened."""
    day = max(folder.replace(hour=0, minute=0, second=0, microsecond=0), FIRST_DAY)
    loader: dict[str, Any] = {"_known_at": None if day == FIRST_DAY else day + ONE_DAY}
    if table not in ("events.events", "tickets.ticket_changes"):
        loader |= {"_version_at": version, "_load_order": (day + ONE_DAY).isoformat()}
    found.tables.setdefault(table, []).append(row | loader)


def _account(dice: Dice, found: Folders, name: str) -> None:
    created = FIRST_DAY + timedelta(days=dice.pick((-40, -10, 0, 3, 25)), hours=dice.pick(HOURS))
    row = {
        "account_id": name,
        "account_name": name,
        "created_at": created,
        "is_test": name == "c" and dice.pick((False, False, False, True)),
    }
    folder = created + dice.pick((0, 0, 2)) * ONE_DAY
    for words in (("customer", "lead", None), ("Churned", "trial"))[: dice.pick((1, 2))]:
        updated = folder + timedelta(hours=1)
        version = row | {"status": dice.pick(words), "updated_at": updated}
        land_row(found, "crm.accounts", version, folder, version=updated)
        folder += dice.pick((1, 20, 33)) * ONE_DAY


def _subscriptions(dice: Dice, found: Folders, account: str) -> None:
    for number in range(dice.pick((1, 0, 2))):
        name = f"{account}{number}"
        start = FIRST_DAY + timedelta(days=dice.pick((-30, 0, 10, 11)), hours=dice.pick(HOURS))
        row = {
            "subscription_id": name,
            "account_id": account,
            "currency": "USD",
            "started_at": start,
            "trial_ends_at": dice.pick((None, None, start + 14 * ONE_DAY)),
        }
        folder = start + dice.pick(DELAYS) * ONE_DAY
        _item(dice, found, name, start, folder)
        _subscription_versions(dice, found, row, folder)


def _subscription_versions(
    dice: Dice, found: Folders, row: dict[str, Any], folder: datetime
) -> None:
    land_row(
        found, "invoices.subscriptions", row | {"status": dice.pick(PAID)}, folder, version=folder
    )
    if not dice.pick((True, False, True)):
        return
    later = folder + dice.pick((1, 7, 20)) * ONE_DAY
    # Told on the day, beforehand, or long after.
    cancelled = later + dice.pick((0, -3, 5)) * ONE_DAY
    ended = max(cancelled + dice.pick((0, 10)) * ONE_DAY, row["started_at"])
    end = dice.pick(
        (
            {"ended_at": ended},
            {"cancel_at": ended},
            {"cancelled_at": cancelled, "current_period_end_at": ended},
            {"cancelled_at": cancelled, "ended_at": ended, "cancel_at": ended},
        )
    )
    version = row | {"status": dice.pick(("canceled", "active"))} | end
    land_row(found, "invoices.subscriptions", version, later, version=later)


def _item(dice: Dice, found: Folders, name: str, start: datetime, folder: datetime) -> None:
    row = {
        "item_id": f"{name}x",
        "subscription_id": name,
        "product": "Seats",
        "price": Decimal("100"),
        "quantity": Decimal(dice.pick(("1", "3"))),
        "interval": dice.pick(("month", "year", "week")),
        "valid_from": start,
    }
    land_row(found, "invoices.subscription_items", row, folder, version=folder)
    if dice.pick((False, True)):
        change = start + dice.pick((5, 12)) * ONE_DAY
        told = max(change + dice.pick(DELAYS) * ONE_DAY, folder + ONE_DAY)
        ends = row | {"valid_to": change}
        follows = row | {"valid_from": change, "price": Decimal("150")}
        land_row(found, "invoices.subscription_items", ends, told, version=told)
        land_row(found, "invoices.subscription_items", follows, told, version=told)


def _event(dice: Dice, found: Folders, number: int) -> None:
    day = FIRST_DAY + dice.pick((*range(0, DAYS, 3), 1, 2, -1, -29, -30, -31, -59)) * ONE_DAY
    at = day + timedelta(hours=dice.pick(HOURS))
    row = {
        "event_id": f"e{number}",
        "account_id": dice.pick((*ACCOUNTS, "a", "ghost")),
        "user_id": dice.pick(("u", "u", "v", "x", "w", None)),
        "anonymous_id": dice.pick((None, "p")),
        "occurred_at": at,
        "event_type": dice.pick(EVENT_TYPES),
        "module": dice.pick(("Alpha", "Alpha", "Beta", None)),
        "feature": ("Draw", "Share", None)[number % 3],
        "quantity": dice.pick((None, 1, 5)),
    }
    folder = at + dice.pick(DELAYS) * ONE_DAY
    land_row(found, "events.events", row, folder, version=None)
    if dice.pick((False, False, True)):
        again = row | {"event_id": f"e{number}b", "quantity": 7}
        land_row(found, "events.events", again, folder + dice.pick(DELAYS) * ONE_DAY, version=None)


def _ticket(dice: Dice, found: Folders, number: int) -> None:
    created = FIRST_DAY + timedelta(
        days=dice.pick((*range(-8, DAYS, 5), 0)), hours=dice.pick(HOURS)
    )
    row: dict[str, Any] = {
        "ticket_id": f"t{number}",
        "satisfaction_score": (None, "4", "5", "good")[number % 4],
        "account_id": dice.pick(ACCOUNTS),
        "created_at": created,
    }
    folder = created + dice.pick(DELAYS) * ONE_DAY
    solved = created + timedelta(days=dice.pick((0, 1, 6, 30)), hours=1)
    for state in (
        {"status": dice.pick(("new", "Open", "pending", None))},
        {"status": dice.pick(("solved", "Resolved")), "solved_at": solved},
        {"status": "closed", "solved_at": solved, "closed_at": solved + 4 * ONE_DAY},
        {"status": "open", "solved_at": solved},
    )[dice.pick((0, 0, 1, 2)) : dice.pick((1, 2, 3, 4))]:
        row |= {"priority": dice.pick(("low", "Urgent", None))}
        row |= {"is_escalated": dice.pick((None, False, True)), "is_spam": dice.pick((None, False))}
        # An older version may come after a newer one.
        updated = max(folder + dice.pick((0, 0, -9)) * ONE_DAY, created)
        land_row(
            found, "tickets.tickets", row | state | {"updated_at": updated}, folder, version=updated
        )
        folder += dice.pick((1, 3, 12)) * ONE_DAY
    _ticket_changes(dice, found, row)


def _ticket_changes(dice: Dice, found: Folders, ticket: dict[str, Any]) -> None:
    """Of most tickets nothing; of the others what changed, told on the day or late."""
    at = ticket["created_at"] + dice.pick((-1, 0, 0, 2)) * ONE_DAY
    for _ in range(dice.pick((0, 0, 0, 1, 2, 4))):
        field = dice.pick(("status", "status", "priority"))
        pool = {"status": ("Open", "solved", "on hold", "parked"), "priority": ("low", "Urgent")}
        change = {
            "ticket_id": ticket["ticket_id"],
            "changed_at": at,
            "field": field,
            "old_value": dice.pick((*pool[field], None)),
            "new_value": dice.pick((*pool[field], None)),
        }
        land_row(
            found,
            "tickets.ticket_changes",
            change,
            at + dice.pick(DELAYS) * ONE_DAY,
            version=None,
        )
        at += timedelta(days=dice.pick((0, 1, 7, 20)), hours=dice.pick((1, 9)))


def _user(dice: Dice, found: Folders, account: str, user: str) -> None:
    """A full extract: a row per day that changed, and a tombstone where the user is gone.

    That somebody is one of ours is told on the first day: like a link, it holds for all days.
    """
    is_internal = (account, user) == ("b", "v")
    created = FIRST_DAY + (-100 if is_internal else dice.pick((-20, 1, 15))) * ONE_DAY
    row = {
        "account_id": account,
        "user_id": user,
        "created_at": dice.pick((created, created, None)),
        "is_internal": is_internal,
    }
    folder = created + (0 if is_internal else dice.pick(DELAYS)) * ONE_DAY
    land_row(found, "events.users", row, folder, version=_instant_of(folder))
    later = folder + dice.pick((2, 9, 25)) * ONE_DAY
    gone = {"account_id": account, "user_id": user, "_is_deleted": True}
    deactivated = row | {"deactivated_at": later - dice.pick((0, 12, 40)) * ONE_DAY}
    change = dice.pick((None, deactivated, gone))
    if change is not None:
        land_row(found, "events.users", change, later, version=_instant_of(later))
        if dice.pick((False, False, True)):
            back = later + 6 * ONE_DAY
            land_row(found, "events.users", row, back, version=_instant_of(back))


def _instant_of(folder: datetime) -> datetime:
    """The instant of a full extract: the end of its folder's day."""
    day = folder.replace(hour=0, minute=0, second=0, microsecond=0)
    return max(day, FIRST_DAY) + ONE_DAY


def _merges(dice: Dice, found: Folders) -> None:
    """Accounts that become one after all of them are known, now and then in a chain.

    Never b into another: its own people would be told of only then, and must be from the start.
    """
    chains = ((), (), ("ab",), ("ac",), ("ca", "ab"), ("ab", "ca"))
    at = FIRST_DAY + timedelta(days=30, hours=dice.pick(HOURS))
    for names in dice.pick(chains):
        row = {"from_account_id": names[0], "into_account_id": names[1], "merged_at": at}
        folder = at + dice.pick(DELAYS) * ONE_DAY
        land_row(found, "crm.account_merges", row, folder, version=None)
        if dice.pick((False, True)):
            land_row(found, "crm.account_merges", row, folder + 3 * ONE_DAY, version=None)
        at += dice.pick((0, 1, 12)) * ONE_DAY


def _book(dice: Dice, found: Folders) -> None:
    for number, table in enumerate(
        ("crm.accounts", "events.events", "invoices.subscriptions", "tickets.tickets")
    ):
        book(dice, found, number, table)


def book(dice: Dice, found: Folders, number: int, table: str) -> None:
    """A delivery of a table per day; a source may stop for a while."""
    source, name = table.split(".")
    step = dice.pick((1, 1, 5, 30))
    days = {FIRST_DAY + back * ONE_DAY for back in range(0, DAYS, step)}
    known = {row["_known_at"] for row in found.tables.get(table, ())}
    days |= {at - ONE_DAY for at in known if at is not None}
    found.deliveries += [
        {
            "delivery_id": 1000 * number + (day - FIRST_DAY).days,
            "source": source,
            "table_name": name,
            "path": f"{source}/{name}/dt={day:%Y-%m-%d}/rows.csv",
            "dt": day.date(),
            "first_as_of": day + ONE_DAY,
            "delivered_at": day + ONE_DAY,
            "known_at": None if day == FIRST_DAY else day + ONE_DAY,
            "watermark_at": day + ONE_DAY,
        }
        for day in sorted(days)
    ]
