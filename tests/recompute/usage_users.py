"""Users and their classes once more, in plain Python; no code of the product.

Source: the project's spec 30 (`dim_users`, "Definitions").
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from tests.recompute.activity import ONE_DAY
from tests.recompute.usage_facts import (
    Act,
    Facts,
    in_window,
    months_before,
    ratio,
    seconds,
)
from tests.recompute.usage_licenses import FOREVER, account_licenses, seats
from tests.recompute.usage_statuses import scored, status_now

Row = dict[str, Any]

HALF_AN_HOUR = timedelta(minutes=30)
CLASSES = ("very_active", "active", "occasional", "new", "sleeper")
COUNTERS = {
    "shares": ("share", "shared"),
    "comments": ("comment", "commented"),
    "redemptions": ("redeem", "redemption"),
    "push_notifications_received": ("push_received", "push_notification_received"),
}


def class_of(facts: Facts, acts: Sequence[Act], registered_on: date | None, last: date) -> str:
    """A user's activity class at the end of a day, by its acts up to then."""
    logins = sorted(a.at for a in acts if a.day <= last and facts.is_login(a))
    for word, days in (("very_active", 7), ("active", 30)):
        recent = sorted(a.at for a in in_window(acts, last, days) if facts.is_login(a))
        if recent and recent[-1] - recent[0] >= HALF_AN_HOUR:
            return word
    ago = months_before(last + ONE_DAY, 3)
    if not logins:
        is_young = registered_on is not None and registered_on >= ago
        return "new" if is_young else "sleeper"
    return "sleeper" if facts.day_of(logins[-1]) < ago else "occasional"


def registered_on(facts: Facts, account: str, user: str) -> date | None:
    """The earlier of the creation's day and the first day with an event."""
    row = _row_of(facts, account, user)
    created = facts.day_of(row["created_at"]) if row.get("created_at") is not None else None
    days = [a.day for a in facts.acts if (a.account_id, a.user_id) == (account, user)]
    return min([*days, *([created] if created else [])], default=None)


def _row_of(facts: Facts, account: str, user: str) -> Row:
    rows = [
        dict(u)
        for u in facts.world.books.users
        if (u["account_id"], u["user_id"]) == (account, user)
    ]
    return rows[0] if rows else {}


def users(facts: Facts) -> list[Row]:
    """The rows of `dim_users`, what invoices say aside."""
    told = {
        (u["account_id"], u["user_id"])
        for u in facts.world.books.users
        if u["account_id"] in facts.names and not u["is_internal"]
    }
    seen = {(a.account_id, a.user_id) for a in facts.acts if a.user_id is not None}
    visitors = {(a.account_id, a.actor[1]) for a in facts.acts if a.actor[0] == "anonymous"}
    known = sorted({*told, *((account, str(user)) for account, user in seen)})
    rows = [_user(facts, account, user) for account, user in known]
    statuses = {row["account_id"]: status_now(facts, row) for row in facts.accounts}
    rows = [row | _ranks(row, rows, statuses) for row in rows]
    return rows + [_visitor(facts, account, name) for account, name in sorted(visitors)]


def _user(facts: Facts, account: str, user: str) -> Row:
    last = facts.today - ONE_DAY
    row = _row_of(facts, account, user)
    acts = [a for a in facts.acts if (a.account_id, a.user_id) == (account, user)]
    since = registered_on(facts, account, user)
    word = class_of(facts, acts, since, last)
    is_registered = user in facts.registered(account, last - 29 * ONE_DAY, last)
    is_active = any(act.is_activity for act in in_window(acts, last, 30))
    return {
        "account_id": account,
        "user_id": user,
        "is_anonymous": False,
        "email": row.get("email"),
        "created_via": "extract" if row else "event",
        "email_marketing_consent": _consent(facts, user, row.get("email")),
        "class": word,
        "class_order": CLASSES.index(word) + 1,
        **_windows(facts, acts),
        **_actions(facts, acts, since),
        **_counters(acts),
        "is_registered": is_registered,
        "is_dormant": is_registered and not is_active,
        "is_licensed": _is_licensed(facts, account, user),
        "is_favourite": _is_favourite(facts, account, user),
        "registered_on": since,
        **_seen(facts, acts),
    }


def _visitor(facts: Facts, account: str, name: str) -> Row:
    acts = [a for a in facts.acts if (a.account_id, a.actor) == (account, ("anonymous", name))]
    return {
        "account_id": account,
        "user_id": name,
        "is_anonymous": True,
        "email_marketing_consent": "unknown",
        "class": None,
        "class_order": None,
        "activity_rank": None,
        "account_activity_rank": None,
        "engagement_score": None,
        **_windows(facts, acts),
        **_actions(facts, acts, min(act.day for act in acts)),
        **_counters(acts),
        "is_registered": False,
        "is_dormant": False,
        "is_licensed": False,
        "is_favourite": False,
        **_seen(facts, acts),
    }


def _windows(facts: Facts, acts: Sequence[Act]) -> Row:
    last = facts.today - ONE_DAY
    found: Row = {"active_seconds_30d": seconds(in_window(acts, last, 30))}
    for days in (7, 30, 90):
        recent = in_window(acts, last, days)
        found[f"login_days_{days}d"] = len({a.day for a in recent if facts.is_login(a)})
        found[f"sessions_{days}d"] = sum(a.moment.opens_session for a in recent)
    return found


def _actions(facts: Facts, acts: Sequence[Act], since: date | None) -> Row:
    """What was done in 14 days, or in the days since the user is there."""
    recent = in_window(acts, facts.today - ONE_DAY, 14)
    actions = sum(act.moment.quantity for act in recent if act.is_activity)
    days = 14 if since is None else min(14, (facts.today - since).days)
    return {
        "actions_14d": actions,
        "known_days_14d": days,
        "avg_daily_actions_14d": ratio(actions, days),
    }


def _counters(acts: Sequence[Act]) -> Row:
    def total(kept: Sequence[Act]) -> int:
        return sum(act.moment.quantity for act in kept)

    custom = [act for act in acts if act.moment.kind == "custom"]
    return {
        "lifetime_events": total([act for act in acts if act.is_activity]),
        "lifetime_errors": total([act for act in acts if act.moment.kind == "error"]),
        **{
            f"lifetime_{name}": total([a for a in custom if a.event["event_name"] in words])
            for name, words in COUNTERS.items()
        },
    }


def _seen(facts: Facts, acts: Sequence[Act]) -> Row:
    logins = [act.at for act in acts if facts.is_login(act)]
    active = [act.at for act in acts if act.is_activity]
    named = [
        (a.at, a.event["device"]) for a in acts if a.is_activity and a.event["device"] is not None
    ]
    return {
        "last_device": max(named)[1] if named else None,
        "first_login_at": min(logins, default=None),
        "last_login_at": max(logins, default=None),
        "first_seen_at": min(active, default=None),
        "last_seen_at": max(active, default=None),
    }


def _consent(facts: Facts, user: str, email: str | None) -> str:
    """The latest word about any of the user's names; a withdrawal goes before a grant."""
    names = {user.lower(), (email or user).lower()}
    words = []
    for row in facts.world.consents:
        told = row["subject"].lower() in names and row["purpose"] == "email_marketing"
        if told and row["granted_at"] < facts.as_of:
            end = row["withdrawn_at"]
            is_over = end is not None and end < facts.as_of
            words.append((end if is_over else row["granted_at"], is_over))
    return ("withdrawn" if max(words)[1] else "granted") if words else "unknown"


def _is_licensed(facts: Facts, account: str, user: str) -> bool:
    live = {
        row["license_id"]
        for row in account_licenses(facts)
        if row["account_id"] == account and row["status"] in ("Active", "Trial")
    }
    return any(
        s.user_id == user and s.last == FOREVER and s.license_id in live for s in seats(facts)
    )


def _is_favourite(facts: Facts, account: str, user: str) -> bool:
    return any(
        (row["account_id"], row["user_id"]) == (account, user)
        and row["set_at"] < facts.as_of
        and (row["cleared_at"] is None or row["cleared_at"] >= facts.as_of)
        for row in facts.world.flags
    )


def _ranks(row: Row, rows: Sequence[Row], statuses: Mapping[str, str]) -> Row:
    """100 x those with strictly less / all: of time over active accounts and in the account, of
    actions a day over the accounts with the same status.
    """
    everyone = [other for other in rows if other["is_registered"]]
    status = statuses[row["account_id"]]
    alike = [other for other in everyone if statuses[other["account_id"]] == status]
    active = [o for o in everyone if statuses[o["account_id"]] in ("customer", "past_due")]
    own = [other for other in everyone if other["account_id"] == row["account_id"]]
    actions = [other["avg_daily_actions_14d"] for other in alike]
    return {
        "activity_rank": _rank(row, active),
        "account_activity_rank": _rank(row, own),
        "engagement_score": (
            scored(row["avg_daily_actions_14d"], actions) if row["is_registered"] else None
        ),
    }


def _rank(row: Row, among: Sequence[Row]) -> Fraction | None:
    if not any(other is row for other in among):
        return None
    below = [o for o in among if o["active_seconds_30d"] < row["active_seconds_30d"]]
    return Fraction(100 * len(below), len(among))
