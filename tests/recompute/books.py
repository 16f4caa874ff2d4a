"""Random canonical rows that are rich in oddities: subscriptions with items, and events with users.

One generator, two kinds of dice: `seeded` for a fixed number of big landings, `landings` for
hypothesis, which shrinks what fails. Instants come from small pools on purpose, so that the
coincidences that break arithmetic (two things at one instant, a month's first one, the as-of
itself) happen all the time. Rows have every column that the marts read, None where empty.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.recompute.billing_books import CURRENCIES, paper
from tests.recompute.dice import Dice, DrawnDice, SeededDice

__all__ = [
    "AS_OFS",
    "Dice",
    "DrawnDice",
    "Landing",
    "Rows",
    "SeededDice",
    "billing_instants",
    "landing",
    "landings",
    "seeded",
    "seeded_books",
    "shifted",
]

Rows = list[dict[str, Any]]

MICROSECOND = timedelta(microseconds=1)
AS_OFS = (
    datetime(2024, 4, 1, tzinfo=UTC),  # the first instant of a month: March is whole
    datetime(2024, 3, 18, tzinfo=UTC),
    datetime(2024, 3, 18, 13, 30, tzinfo=UTC),  # inside a day
    datetime(2024, 4, 1, 6, tzinfo=UTC),  # inside the first day of a month
)
ACCOUNTS = ("a", "b", "c")
STATUSES = (
    "active", "active", "active", "active", "past_due", "Active", None, "trialing", "Trialing",
    "paused", "UNPAID", "incomplete", "incomplete_expired", "canceled", "cancelled", "Canceled",
)  # fmt: skip
PRICES = ("100", "200", "1200", "9.99", "0.125", "0.375", "0.005", "33.33333333", "0", "999999.99")
QUANTITIES = ("1", "1", "2", "3", "4.5", "0", "0.0001", "120")
INTERVALS = ("month", "month", "year", "week", "day")
INTERVAL_COUNTS = (None, 1, 1, 2, 3, 6, 12)
EVENT_TYPES = ("use", "use", "use", "use", "error", "heartbeat", "identify", "custom")
MODULES = (None, "Alpha", "Beta", "Gamma")
# Seconds between two events of a visit; half an hour to the microsecond is the edge.
GAPS = (0, 0, 1, 60, 299.5, 600, 1799.999999, 1800, 1800.000001, 5400)
DURATIONS = (None, None, None, None, None, "0", "0.5", "45.000001", "3600", "43200", "90000")
# Late in the day: a visit that goes on over midnight.
HOURS = (0, 0, 6, 9, 9, 12, 17, 23.75, 23.99)


@dataclass(frozen=True, kw_only=True)
class Landing:
    """Canonical rows of one generated landing, and the as-of instant to look at them from."""

    as_of: datetime
    accounts: Rows
    subscriptions: Rows = field(default_factory=list)
    items: Rows = field(default_factory=list)
    users: Rows = field(default_factory=list)
    events: Rows = field(default_factory=list)
    merges: Rows = field(default_factory=list)
    changes: Rows = field(default_factory=list)
    discounts: Rows = field(default_factory=list)
    rates: Rows = field(default_factory=list)
    invoices: Rows = field(default_factory=list)
    lines: Rows = field(default_factory=list)
    # Rows of the seed `billing_migrations`.
    migrations: Rows = field(default_factory=list)


def seeded(seed: int, *, subscriptions: int = 40, visits: int = 150) -> Landing:
    """A landing of that many subscriptions and visits; the same seed gives the same rows."""
    return landing(SeededDice(np.random.default_rng(seed)), subscriptions, visits)


@st.composite
def landings(
    draw: Callable[[st.SearchStrategy[Any]], Any], *, subscriptions: int = 5, visits: int = 8
) -> Landing:
    """Small landings, with up to that many subscriptions and visits."""
    dice = DrawnDice(draw)
    return landing(dice, dice.pick(range(subscriptions + 1)), dice.pick(range(visits + 1)))


def shifted(rows: Landing, by: timedelta) -> Landing:
    """The same landing, with every instant moved: what fell on one edge falls on another one."""

    def moved(table: Rows) -> Rows:
        return [
            {k: v + by if isinstance(v, datetime) else v for k, v in row.items()} for row in table
        ]

    tables = (
        "accounts", "subscriptions", "items", "users", "events", "merges", "changes", "discounts",
        "invoices", "lines",
    )  # fmt: skip
    return replace(
        rows, as_of=rows.as_of + by, **{name: moved(getattr(rows, name)) for name in tables}
    )


def seeded_books(seed: int, *, accounts: int = 120, subscriptions: int = 240) -> Landing:
    """Books of many accounts, without users and events; the same seed gives the same rows."""
    dice = SeededDice(np.random.default_rng([seed, 1]))
    more = [f"n{number:03d}" for number in range(accounts - len(ACCOUNTS))]
    return landing(dice, subscriptions, 0, names=(*ACCOUNTS, *more))


def landing(
    dice: Dice, subscriptions: int, visits: int, names: Sequence[str] = ACCOUNTS
) -> Landing:
    """A whole landing; accounts a, b and c, of which c is a test one now and then."""
    as_of = dice.pick(AS_OFS)
    accounts = [_account(dice, name, as_of) for name in names]
    billed, items = _billing(dice, subscriptions, as_of, names)
    users, events = _usage(dice, visits, as_of)
    around = paper(dice, billed, items, billing_instants(as_of))
    return Landing(
        as_of=as_of,
        accounts=accounts,
        subscriptions=billed,
        items=items,
        users=users,
        events=events,
        merges=_merges(dice, as_of),
        changes=around.changes,
        discounts=around.discounts,
        rates=around.rates,
        invoices=around.invoices,
        lines=around.lines,
        migrations=around.migrations,
    )


def _account(dice: Dice, name: str, as_of: datetime) -> dict[str, Any]:
    created = dice.pick((_utc(2023, 11, 30, 23), _utc(2024, 1, 1), _utc(2024, 2, 29), as_of))
    return {
        "account_id": name,
        "account_name": f"Account {name}",
        "tier": "core",
        "size_band": "1-50",
        # Two accounts that always exist, one that may be of tomorrow or a test.
        "created_at": created if name == "c" else min(created, _utc(2024, 2, 29)),
        "is_test": name == "c" and dice.pick((False, False, True)),
    }


def _merges(dice: Dice, as_of: datetime) -> Rows:
    """Which account became part of which: in a chain, in a cycle, into one that nobody knows."""
    chains = ("", "", "", "ca", "ab", "ba", "ca ab", "ab ba", "ab b? c?", "gb", "ag gb", "cc ab")
    return [
        {
            "from_account_id": {"g": "ghost"}.get(names[0], names[0]),
            "into_account_id": {"g": "ghost", "?": "nobody"}.get(names[1], names[1]),
            "merged_at": dice.pick((_utc(2024, 1, 15, 9), _utc(2024, 3, 1), as_of - MICROSECOND)),
        }
        for names in dice.pick(chains).split()
    ]


def _billing(dice: Dice, count: int, as_of: datetime, names: Sequence[str]) -> tuple[Rows, Rows]:
    """Subscriptions with one or two items each, and the items' segments one after another."""
    instants = billing_instants(as_of)
    subscriptions: Rows = []
    items: Rows = []
    for number in range(count):
        subscription = _subscription(dice, f"s{number}", instants, names)
        subscriptions.append(subscription)
        for letter in dice.pick(("x", "x", "xy")):
            items.extend(_item(dice, subscription, letter, instants))
    return subscriptions, items


def billing_instants(as_of: datetime) -> tuple[datetime, ...]:
    """The instants at which anything is billed: few, and edges most of them."""
    fixed = (
        _utc(2024, 1, 1),
        _utc(2024, 1, 15, 9),
        _utc(2024, 1, 31),
        _utc(2024, 2, 1),
        _utc(2024, 2, 1) - MICROSECOND,
        _utc(2024, 2, 29, 12),
        _utc(2024, 3, 1),
        _utc(2024, 3, 15),
        _utc(2023, 3, 1),
        _utc(2023, 12, 31, 23),
    )
    return (*fixed, as_of - MICROSECOND, as_of, as_of + MICROSECOND, as_of + timedelta(days=20))


def _subscription(
    dice: Dice, name: str, instants: Sequence[datetime], names: Sequence[str]
) -> dict[str, Any]:
    start = dice.pick(instants)
    later = [instant for instant in instants if instant > start] or [start]
    maybe = [None, None, None, *later]
    return {
        "subscription_id": name,
        "account_id": dice.pick((*names, "a", "b", "ghost")),
        "status": dice.pick(STATUSES),
        "plan": dice.pick(("Basic", "Pro")),
        "currency": dice.pick(CURRENCIES),
        "started_at": start,
        "ended_at": dice.pick([*maybe, start]),
        # A trial may have ended before the subscription began.
        "trial_ends_at": dice.pick([*maybe, *maybe, instants[0]]),
        "cancelled_at": dice.pick(maybe),
        "cancel_at": dice.pick([*maybe, None, None, None, None]),
        "current_period_end_at": dice.pick(maybe),
        "renewal_term_months": dice.pick((None, None, 1, 12, 0)),
        # Of the name, so that the dice fall as before.
        "notice_days": (None, 14, 90)[sum(name.encode()) % 3],
        "created_at": start,
        "updated_at": None,
    }


def _item(
    dice: Dice, subscription: dict[str, Any], letter: str, instants: Sequence[datetime]
) -> Rows:
    """An item's segments: without a gap, with one, overlapping, or empty."""
    starts = {
        dice.pick((subscription["started_at"], *instants)) for _ in range(dice.pick((1, 2, 3)))
    }
    ordered = sorted(starts)
    is_metered = dice.pick((None, False, False, False, True))
    rows = []
    for place, start in enumerate(ordered):
        following = ordered[place + 1] if place + 1 < len(ordered) else None
        rows.append(
            {
                "item_id": f"{subscription['subscription_id']}{letter}",
                "subscription_id": subscription["subscription_id"],
                "product": dice.pick(("Seats", "Add-on")),
                "price": Decimal(dice.pick(PRICES)),
                "quantity": Decimal(dice.pick(QUANTITIES)),
                "interval": dice.pick(INTERVALS),
                "interval_count": dice.pick(INTERVAL_COUNTS),
                "is_metered": is_metered,
                "valid_from": start,
                "valid_to": dice.pick((following, following, following, dice.pick(instants))),
            }
        )
    return rows


def _usage(dice: Dice, visits: int, as_of: datetime) -> tuple[Rows, Rows]:
    """Users of every kind, and visits of theirs, of strangers and of nobody."""
    has_logins = dice.pick((True, True, False))
    events: Rows = []
    for number in range(visits):
        events.extend(_visit(dice, number, as_of, has_logins=has_logins))
    users = [_user(dice, account, name, as_of) for account in ACCOUNTS for name in ("u", "v", "w")]
    return users, events


def _user(dice: Dice, account: str, name: str, as_of: datetime) -> dict[str, Any]:
    """A user; `x` and `y` of the events have no row, and one name is several accounts' user."""
    today = _midnight(as_of)
    edges = [
        today - timedelta(days=days) + timedelta(hours=hours)
        for days, hours in ((1, 0), (30, 0), (30, 12), (31, 0), (31, 12), (100, 0))
    ]
    return {
        "account_id": account,
        "user_id": name,
        "email": f"{name}@{account}.example",
        "full_name": None,
        "created_at": dice.pick((None, _utc(2023, 6, 1), *edges, as_of - MICROSECOND, as_of)),
        "deactivated_at": dice.pick([None] * 6 + [*edges, as_of, as_of + timedelta(days=1)]),
        "is_internal": dice.pick((None, False, False, False, False, name == "w")),
        "sign_in_providers": None,
        "updated_at": None,
    }


def _visit(dice: Dice, number: int, as_of: datetime, *, has_logins: bool) -> Rows:
    """Some events of one actor, one after another, from an hour on; some arrive late."""
    days = dice.pick((1, 1, 1, 2, 3, 7, 8, 29, 30, 31, 60, 61, 0, 0, -1, 120))
    start = _midnight(as_of) - timedelta(days=days) + timedelta(hours=dice.pick(HOURS))
    at = dice.pick((start, start, start, start, as_of - MICROSECOND, as_of))
    user = dice.pick(("u", "u", "v", "w", "x", "y", None, None))
    account = dice.pick((*ACCOUNTS, "a", "a", "ghost"))
    visitor = dice.pick((None, "p", "q"))
    session = dice.pick((None, None, f"session{number % 3}"))
    rows: Rows = []
    for place in range(dice.pick((1, 2, 3, 5))):
        at += timedelta(seconds=dice.pick(GAPS)) if place else timedelta()
        own = {
            "event_id": f"{dice.pick('mnz')}{number:04d}.{place}",
            "account_id": account,
            "user_id": user,
            "anonymous_id": visitor,
            "occurred_at": at,
            "received_at": at + timedelta(days=dice.pick((0, 0, 0, 2, 5, 40))),
            # A session id that comes and goes inside one visit.
            "session_id": dice.pick((session, session, session, None)),
        }
        rows.append(own | _what(dice, has_logins=has_logins))
    return rows


def _what(dice: Dice, *, has_logins: bool) -> dict[str, Any]:
    """What an event says, apart from who and when."""
    duration = dice.pick(DURATIONS)
    return {
        "event_type": dice.pick((*EVENT_TYPES, *(("login", "login") if has_logins else ()))),
        "event_name": None,
        "package": None,
        "module": dice.pick(MODULES),
        "feature": None,
        "duration_seconds": None if duration is None else Decimal(duration),
        "quantity": dice.pick((None, None, None, 1, 2, 7, 0)),
        "device": None,
        "app_version": None,
        "error_fingerprint": None,
        "error_message": None,
        "is_unhandled": None,
        "attributes": None,
    }


def _utc(year: int, month: int, day: int, hour: int = 0) -> datetime:
    return datetime(year, month, day, hour, tzinfo=UTC)


def _midnight(instant: datetime) -> datetime:
    return instant.replace(hour=0, minute=0, second=0, microsecond=0)
