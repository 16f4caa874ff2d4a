"""The published daily rollups once more, in plain Python; no code of the product.

Source: the project's spec 30 (`fct_user_activity_daily` and its kin, errors, custom interactions).
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from tests.recompute.usage_facts import NONE, Act, Facts, seconds, users_of, visitors_of
from tests.recompute.usage_licenses import license_chooser

Row = dict[str, Any]


def grouped(
    acts: Sequence[Act], key: Callable[[Act], dict[str, Any]]
) -> list[tuple[dict[str, Any], list[Act]]]:
    """Acts by what `key` says of each."""
    found: dict[tuple[Any, ...], list[Act]] = defaultdict(list)
    for act in acts:
        found[tuple(key(act).values())].append(act)
    return [(key(own[0]), own) for own in found.values()]


def user_daily(facts: Facts, *detail: str) -> list[Row]:
    """The rows by user, package, licence and day, and by what `detail` names (module, feature)."""
    chooser = license_chooser(facts)

    def key(act: Act) -> dict[str, Any]:
        user = str(act.user_id)
        return {
            "account_id": act.account_id,
            "user_id": user,
            "package": act.package,
            "license_id": chooser.choose(act.account_id, user, act.package, act.day),
            **{name: getattr(act, name) for name in detail},
            "day": act.day,
        }

    own = [act for act in facts.acts if act.user_id is not None]
    return [{**where, **_measured(acts, facts)} for where, acts in grouped(own, key)]


def _measured(acts: Sequence[Act], facts: Facts) -> Row:
    named = [(a.at, a.event["device"]) for a in acts if a.is_activity and a.event["device"]]
    opened = sum(act.moment.opens_session for act in acts)
    logins = sum(act.moment.quantity for act in acts if act.moment.kind == "login")
    return {
        "logins": opened if facts.infers_logins else logins,
        "sessions": opened,
        "active_seconds": seconds(acts),
        "use_count": sum(act.uses for act in acts),
        "events": sum(act.is_activity for act in acts),
        "is_active": any(act.is_activity for act in acts),
        "is_used": any(act.is_use for act in acts),
        "last_device": max(named)[1] if named else None,
    }


def unhandled_errors_daily(facts: Facts) -> list[Row]:
    """The rows of `fct_unhandled_errors_daily`."""

    def key(act: Act) -> dict[str, Any]:
        return {
            "account_id": act.account_id,
            "package": act.package,
            "app_version": act.event["app_version"] or NONE,
            "error_fingerprint": act.event["error_fingerprint"] or NONE,
            "day": act.day,
        }

    own = [a for a in facts.acts if a.moment.kind == "error" and a.event["is_unhandled"]]
    return [
        {
            **where,
            "error_message": acts[0].event["error_message"],
            "occurrences": sum(act.moment.quantity for act in acts),
            "users_affected": len(users_of(acts)),
            "anonymous_users_affected": len(visitors_of(acts)),
            "first_seen_at": min(act.at for act in acts),
            "last_seen_at": max(act.at for act in acts),
        }
        for where, acts in grouped(own, key)
    ]


def custom_interactions_daily(facts: Facts) -> list[Row]:
    """The rows of `fct_custom_interactions_daily`."""

    def key(act: Act) -> dict[str, Any]:
        name = act.event["event_name"] or NONE
        return {"account_id": act.account_id, "event_name": name, "day": act.day}

    own = [act for act in facts.acts if act.moment.kind == "custom"]
    return [
        {
            **where,
            "interaction_count": sum(act.moment.quantity for act in acts),
            "users": len(users_of(acts)),
            "anonymous_users": len(visitors_of(acts)),
        }
        for where, acts in grouped(own, key)
    ]
