"""Accounts that change, disappear, come back and belong to one another, on generated books.

Rows of what the other generators leave out: versions of accounts with parents (of a tree, in a
cycle, merged, unknown), full extracts that an account is missing from, teams, and shown metrics.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from tests.recompute.books import Landing, Rows, SeededDice, seeded_books

ONE_DAY = timedelta(days=1)
METRICS = ("mrr", "active_user_ratio", "open_tickets", "mau")


@dataclass(frozen=True, kw_only=True)
class AccountWorld:
    """The books, and the raw rows that stand beside them or in their place."""

    books: Landing
    accounts: Rows
    team: Rows
    metrics: Rows
    profiles: Rows


def account_world(seed: int, accounts: int = 36) -> AccountWorld:
    """A world of that many accounts; the same seed gives the same rows."""
    dice = SeededDice(np.random.default_rng([seed, 40]))
    books = seeded_books(seed, accounts=accounts, subscriptions=2 * accounts)
    names = [row["account_id"] for row in books.accounts]
    return AccountWorld(
        books=books,
        accounts=[row for each in books.accounts for row in _versions(dice, each, names, books)],
        team=list(_team(dice, names, books.as_of)),
        metrics=list(_metrics(dice, names, books.as_of)),
        profiles=list(_profiles(dice, names, books.as_of)),
    )


def _instants(as_of: datetime) -> tuple[datetime, ...]:
    """Where things change: at midnights, inside days, twice within one, just before as-of."""
    return (
        datetime(2024, 1, 1, tzinfo=UTC),
        datetime(2024, 1, 20, 9, tzinfo=UTC),
        datetime(2024, 1, 20, 17, tzinfo=UTC),
        datetime(2024, 2, 1, tzinfo=UTC) - timedelta(microseconds=1),
        datetime(2024, 2, 20, tzinfo=UTC),
        datetime(2024, 3, 1, tzinfo=UTC),
        as_of - timedelta(microseconds=1),
    )


def _versions(
    dice: SeededDice, account: dict[str, Any], names: list[str], books: Landing
) -> Iterator[dict[str, Any]]:
    first = {**account, **_attributes(dice, names), "updated_at": None, "_load_order": "0"}
    yield first
    if dice.pick((False, False, True)):
        yield from _missing(dice, first, books.as_of)
        return
    told = sorted({dice.pick(_instants(books.as_of)) for _ in range(dice.pick((0, 1, 2, 3)))})
    for at in told:
        yield {
            **account,
            **_attributes(dice, names),
            "updated_at": at,
            "_version_at": at,
            "_known_at": dice.pick((None, at, at + 3 * ONE_DAY)),
            "_load_order": "1",
        }


def _missing(dice: SeededDice, first: dict[str, Any], as_of: datetime) -> Iterator[dict[str, Any]]:
    """Full extracts without the account, and later ones with it; known at midnights."""
    midnight = as_of.replace(hour=0, minute=0, second=0, microsecond=0)
    gone = midnight - dice.pick((3, 9, 20)) * ONE_DAY
    there_again = ((), ((2, False),), ((0, False),), ((2, False), (2, True)))
    told = ((0, True), *dice.pick(there_again))
    for number, (days, is_deleted) in enumerate(told, start=1):
        seen = dict.fromkeys(("_version_at", "_known_at"), gone + days * ONE_DAY)
        yield {**first, **seen, "_load_order": str(number), "_is_deleted": is_deleted}


def _attributes(dice: SeededDice, names: list[str]) -> dict[str, Any]:
    return {
        "tier": dice.pick(("core", "core", None)),
        "region": dice.pick(("EMEA", None)),
        "status": dice.pick((None, "Customer", "Prospect", "odd")),
        "size_band": "1-50",
        "parent_account_id": dice.pick((None, None, "unknown", "ghost", *names[:8])),
        "relationship": dice.pick((None, "unit")),
        "employee_count": dice.pick((10, 10, 50)),
    }


def _team(dice: SeededDice, names: list[str], as_of: datetime) -> Iterator[dict[str, Any]]:
    for name in names[::2]:
        for member in ("ann", "bob"):
            yield {
                "account_id": name,
                "team_member_id": member,
                "role": dice.pick(("csm", "csm", "sponsor")),
                "valid_from": dice.pick(_instants(as_of)),
                "valid_to": dice.pick((None, *_instants(as_of), as_of)),
            }


def _metrics(dice: SeededDice, names: list[str], as_of: datetime) -> Iterator[dict[str, Any]]:
    """Daily rows as they were shown, with holes, back to 200 days before the as-of day."""
    for name in names:
        known = dice.pick((3, 30, 60, 200))
        for ago in range(1, known + 1):
            yield {
                "account_id": name,
                "day": as_of.date() - ago * ONE_DAY,
                "account_status": "customer",
                "mrr": dice.pick(("0", "100.10", "250.33", None)),
                "active_user_ratio": dice.pick((0.0, 0.25, 0.8)),
                "open_tickets": dice.pick((0, 1, 2, 7)),
                "mau": dice.pick((None, 5)) if ago > 2 else None,
            }


def _profiles(dice: SeededDice, names: list[str], as_of: datetime) -> Iterator[dict[str, Any]]:
    for name in names:
        yield {
            "account_id": name,
            "day": as_of.date() - ONE_DAY,
            "profile": dice.pick(("ongoing", "ongoing", "onboarding")),
            "score": dice.pick((None, "40.5", "77.123456")),
            "judged_by": "score",
            "raw_score": "50",
            "capped_score": "50",
            "state": "average",
            "state_before_override": "average",
            "is_held": False,
            "is_complete": True,
            "coverage": "1.0",
            "configuration_version": "v1",
        }
