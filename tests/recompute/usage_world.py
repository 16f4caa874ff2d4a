"""Random landings that are rich in use: features, licences, entitlements, consents, flags, leads.

The accounts, users, visits and subscriptions of `books.landing`, spread over more accounts so that
some have five peers, and told more of: packages, features, devices, errors. Licences and their
seats come from the same small pools of instants, so that things coincide all the time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np

from tests.recompute.books import MICROSECOND, Landing, Rows, SeededDice, landing

NAMES = tuple("abcdefghi")
# Leads: open ones, converted ones, and one whose id is an account's as well.
LEADS = ("l1", "l2", "l3", "l4", "l5", "d")
WORDS = (None, None, None, "Customer", "trial", "Cancelled", "never mapped")
PACKAGES = ("core", "extra", None)
FEATURES = (None, "x", "y", "z")
CUSTOM_NAMES = (None, "share", "comment", "redeem", "push_received", "other")
DEVICES = (None, None, "phone", "laptop")
PLANS = ("Basic", "pro")


@dataclass(frozen=True, kw_only=True)
class UsageWorld:
    """A landing with what only usage is made from, and the seeds that a person may edit."""

    books: Landing
    licenses: Rows
    assignments: Rows
    entitlements: Rows
    consents: Rows
    flags: Rows
    leads: Rows

    def tables(self) -> dict[str, Rows]:
        """The raw tables that `books` does not hold."""
        return {
            "crm.licenses": self.licenses,
            "crm.license_assignments": self.assignments,
            "crm.entitlements": self.entitlements,
            "crm.consents": self.consents,
            "crm.user_flags": self.flags,
            "crm.leads": self.leads,
        }


CATALOGUE: Rows = [
    {"package": "core", "module": "Alpha", "feature": "x", "is_core": True},
    {"package": "core", "module": "Alpha", "feature": "unused", "is_core": True},
    {"package": "extra", "module": "Beta", "feature": "y", "is_core": False},
    {"package": "extra", "module": "Beta", "feature": "z", "is_core": True},
    {"package": "foreign", "module": "Beta", "feature": "w", "is_core": True},
]
ADOPTION: Rows = [
    {"module": "*", "adopted_from_days": 3},
    {"module": "Beta", "adopted_from_days": 1},
]
# One profile for everybody: which one judges a day, the health tests recompute.
ONGOING = {
    "profile": "ongoing", "position": 1, "judged_by": "score", "good_from": 75,
    "average_from": 50, "minimum_coverage": 0.6, "description": "everybody",
}  # fmt: skip
SEEDS: Mapping[str, Rows] = {
    "module_catalogue": CATALOGUE, "module_adoption": ADOPTION, "health_profiles": [ONGOING],
}  # fmt: skip


def seeded_world(seed: int, *, visits: int = 220) -> UsageWorld:
    """A world of nine accounts; the same seed gives the same rows."""
    dice = SeededDice(np.random.default_rng([seed, 5]))
    books = _spread(dice, landing(dice, 80, visits, names=NAMES))
    licenses = [_license(dice, number, books.as_of) for number in range(24)]
    return UsageWorld(
        books=books,
        licenses=licenses,
        assignments=_assignments(dice, books.as_of),
        entitlements=_entitlements(dice, books.as_of),
        consents=[_consent(dice, number, books.as_of) for number in range(12)],
        flags=_flags(dice, books.as_of),
        leads=[_lead(dice, name, books.as_of) for name in LEADS],
    )


def moved(world: UsageWorld, by: timedelta, books: Landing) -> UsageWorld:
    """The world with its instants moved, around books that already are."""

    def later(table: Rows) -> Rows:
        return [
            {k: v + by if isinstance(v, datetime) else v for k, v in row.items()} for row in table
        ]

    return replace(
        world,
        books=books,
        licenses=later(world.licenses),
        assignments=later(world.assignments),
        entitlements=later(world.entitlements),
        consents=later(world.consents),
        flags=later(world.flags),
        leads=later(world.leads),
    )


def _spread(dice: SeededDice, books: Landing) -> Landing:
    """Whole visits under other accounts and on more days, users for each, tiers to be peers in."""
    where: dict[str, str] = {}
    back: dict[str, timedelta] = {}
    events = []
    for event in books.events:
        visit = event["event_id"].split(".")[0]
        where.setdefault(visit, dice.pick((event["account_id"], *NAMES, *LEADS[:5])))
        back.setdefault(visit, timedelta(days=dice.pick((0, 0, 0, 1, 4, 5, 9))))
        at = event["occurred_at"] - back[visit]
        own = {"account_id": where[visit], "occurred_at": at, **_more(dice, event)}
        events.append({**event, **own})
    users = [
        {**user, "account_id": other, "email": f"{user['user_id']}@{other}.example"}
        for user in books.users
        for other in ((*NAMES, *LEADS[:3])["abc".index(user["account_id"]) :: 3])
    ]
    accounts = [
        {
            **account,
            "tier": dice.pick(("core", "core", "core", "core", "core", "core", None)),
            "status": dice.pick(WORDS),
        }
        for account in books.accounts
    ]
    return replace(books, accounts=accounts, events=events, users=users)


def _more(dice: SeededDice, event: Mapping[str, Any]) -> dict[str, Any]:
    """What an event says beside what `books` has it say."""
    kind = event["event_type"]
    print_ = dice.pick((None, "boom", "bang"))
    return {
        "package": dice.pick(PACKAGES),
        "feature": dice.pick(FEATURES),
        "event_name": dice.pick(CUSTOM_NAMES) if kind == "custom" else None,
        "device": dice.pick(DEVICES),
        "app_version": dice.pick((None, "1.0", "1.1")),
        "error_fingerprint": print_ if kind == "error" else None,
        "error_message": f"message of {print_}" if kind == "error" else None,
        "is_unhandled": dice.pick((True, True, False, None)) if kind == "error" else None,
    }


def _edges(as_of: datetime) -> tuple[datetime, ...]:
    """Instants at which something may begin or end: days before as-of, and as-of itself."""
    today = as_of.replace(hour=0, minute=0, second=0, microsecond=0)
    days = (0, 1, 2, 7, 29, 30, 31, 60, 90)
    fixed = [today - timedelta(days=number) for number in days]
    return (*fixed, today - timedelta(days=8, hours=-9), as_of - MICROSECOND, as_of)


def _license(dice: SeededDice, number: int, as_of: datetime) -> dict[str, Any]:
    edges = _edges(as_of)
    start = dice.pick((edges[7], edges[8], *edges))
    ends = [as_of.date() + timedelta(days=days) for days in (-30, -2, -1, 0, 1, 90)]
    expiry: date | None = dice.pick((None, None, None, *ends))
    words = (None, "active", "active", "active", "active", "Suspended", "trial", "EXPIRED")
    return {
        "license_id": f"l{number}",
        "account_id": dice.pick((*NAMES, "a", "b", "ghost", "l1", "l2")),
        "package": dice.pick(("core", "extra")),
        "status": dice.pick(words),
        "is_trial": dice.pick((None, False, False, True)),
        "is_unlimited": dice.pick((None, False, False, False, True)),
        "seats_purchased": dice.pick((None, 0, 1, 2, 3, 4, 10)),
        "seats_allocated": dice.pick((None, 1, 2)),
        "started_at": start,
        "suspended_at": dice.pick((*[None] * 30, *edges)),
        "expires_on": expiry,
        "updated_at": dice.pick((None, start, *edges)),
    }


def _assignments(dice: SeededDice, as_of: datetime) -> Rows:
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    edges = _edges(as_of)
    for _ in range(140):
        start = dice.pick(edges)
        row = {
            "license_id": f"l{dice.pick(range(26))}",
            "user_id": dice.pick(("u", "v", "w", "x")),
            "assigned_at": start,
            "unassigned_at": dice.pick((*[None] * 8, *[e for e in edges if e >= start])),
        }
        found[row["license_id"], row["user_id"], start] = row
    return list(found.values())


def _entitlements(dice: SeededDice, as_of: datetime) -> Rows:
    """None at all now and then: everybody may then use everything."""
    edges = _edges(as_of)
    return [
        {
            "entitlement_id": f"e{number}",
            **dice.pick(
                ({"plan": dice.pick(PLANS)}, {"account_id": dice.pick((*NAMES, "ghost", "l3"))})
            ),
            "package": dice.pick((None, "core", "extra")),
            "module": dice.pick((None, "Alpha", "Beta", "New")),
            "feature": dice.pick((None, None, "x", "y")),
            "valid_from": dice.pick((edges[8], *edges)),
            "valid_to": dice.pick((None, None, *edges)),
        }
        for number in range(dice.pick((0, 12, 24)))
    ]


def _consent(dice: SeededDice, number: int, as_of: datetime) -> dict[str, Any]:
    account, user = dice.pick(NAMES), dice.pick(("u", "v", "w", "x"))
    edges = _edges(as_of)
    granted = edges[8] + timedelta(minutes=number)
    return {
        "subject": dice.pick((f"{user}@{account}.EXAMPLE", user)),
        "purpose": dice.pick(("email_marketing", "email_marketing", "profiling")),
        "granted_at": granted,
        "withdrawn_at": dice.pick((None, None, *[e for e in edges if e > granted])),
    }


def _flags(dice: SeededDice, as_of: datetime) -> Rows:
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for _ in range(8):
        row = {
            "account_id": dice.pick((*NAMES, "l1", "l2")),
            "user_id": dice.pick(("u", "v", "x")),
            "flag": "favourite",
            "set_at": dice.pick(_edges(as_of)),
            "cleared_at": dice.pick((None, None, as_of - MICROSECOND, as_of)),
        }
        found[row["account_id"], row["user_id"]] = row
    return list(found.values())


def _lead(dice: SeededDice, name: str, as_of: datetime) -> dict[str, Any]:
    """A lead that became an account, another lead or nobody's: yesterday, tomorrow, or never."""
    created = datetime(2024, 2, 3, 11, tzinfo=UTC)
    changed = datetime(2024, 3, 5, 9, tzinfo=UTC)
    converted = dice.pick((datetime(2024, 3, 2, 17, tzinfo=UTC), as_of - MICROSECOND, as_of, None))
    return {
        "lead_id": name,
        "lead_name": f"Lead {name}",
        "status": dice.pick(("Working", "customer", None)),
        "created_at": dice.pick((created, created, created, as_of)),
        "converted_account_id": dice.pick((None, "a", "b", "c", "e", "l1", "nobody")),
        "converted_at": converted,
        "updated_at": dice.pick((None, changed)),
    }
