"""An account's weeks once more, in plain Python; no code of the product.

Source: the project's spec 30 (`account_usage_patterns`, "Definitions").
"""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import Any

from tests.recompute.activity import ONE_DAY
from tests.recompute.calendars import first_instant
from tests.recompute.usage_entitlements import entitled_things, nameable
from tests.recompute.usage_facts import (
    NONE,
    Act,
    Facts,
    days_between,
    in_window,
    ratio,
    seconds,
    users_of,
)
from tests.recompute.usage_statuses import scored, status_before
from tests.recompute.usage_users import CLASSES, class_of, registered_on
from tests.recompute.usage_world import CATALOGUE

Row = dict[str, Any]


def usage_patterns(facts: Facts) -> list[Row]:
    """The rows of `account_usage_patterns`; weeks start on Monday."""
    last = facts.today - ONE_DAY
    known = nameable(facts)
    rows = []
    for name in facts.names:
        first = facts.first_day(name)
        for day in days_between(first, last):
            if day.isoweekday() == 7 or day == last:
                rows.append(_week(facts, known, name, day))
    return [row | _engagement(row, rows) for row in rows]


def _engagement(row: Row, rows: Sequence[Row]) -> Row:
    """The account's place among those of its status, by what its users do in a day."""
    among = [
        other["avg_daily_user_actions_14d"]
        for other in rows
        if (other["week"], other["account_status"]) == (row["week"], row["account_status"])
    ]
    return {"engagement_score": scored(row["avg_daily_user_actions_14d"], among)}


def _week(facts: Facts, known: list[Row], name: str, ends_on: date) -> Row:
    own = [a for a in facts.acts if a.account_id == name and a.day <= ends_on]
    week = ends_on - ends_on.weekday() * ONE_DAY
    may_use = {thing[0] for thing in entitled_things(facts, known, name, ends_on)}
    return {
        "account_id": name,
        "week": week,
        "ends_on": ends_on,
        "account_status": status_before(facts, name, first_instant(ends_on + ONE_DAY, facts.zone)),
        **_actions(own, min((ends_on - facts.first_day(name)).days + 1, 14), ends_on),
        **_rhythm(own, ends_on),
        **_sessions(own, ends_on),
        **_reach(own, len(may_use), ends_on),
        **_crowd(facts, name, own, ends_on),
        "is_partial": week + 7 * ONE_DAY > facts.today,
    }


def _actions(acts: Sequence[Act], days: int, ends_on: date) -> Row:
    recent = [a for a in in_window(acts, ends_on, 14) if a.user_id and a.is_activity]
    actions = sum(act.moment.quantity for act in recent)
    return {
        "user_actions_14d": actions,
        "known_days_14d": days,
        "avg_daily_user_actions_14d": Fraction(actions, days),
    }


def _rhythm(acts: Sequence[Act], ends_on: date) -> Row:
    def active_days(days: int, back: int = 0) -> int:
        recent = in_window(acts, ends_on, days, back=back)
        return len({act.day for act in recent if act.is_activity})

    word = "monthly" if active_days(30) else "none"
    if active_days(7) and active_days(7, back=7):
        word = "weekly"
    if active_days(14) >= 8:
        word = "daily"
    return {
        "usage_frequency": word,
        "active_days_14d": active_days(14),
        "active_days_30d": active_days(30),
    }


def _sessions(acts: Sequence[Act], ends_on: date) -> Row:
    now, before = in_window(acts, ends_on, 7), in_window(acts, ends_on, 28, back=7)
    count, prior = (sum(a.moment.opens_session for a in own) for own in (now, before))
    length, prior_length = ratio(seconds(now), count), ratio(seconds(before), prior)
    return {
        "sessions": count,
        "prior_sessions": prior,
        "sessions_change_ratio": ratio(4 * count - prior, prior),
        "mean_session_length": length,
        "prior_mean_session_length": prior_length,
        "session_length_change_ratio": (
            None if length is None or not prior_length else length / prior_length - 1
        ),
    }


def _reach(acts: Sequence[Act], entitled: int, ends_on: date) -> Row:
    recent = in_window(acts, ends_on, 30)
    core = {(row["module"], row["feature"]) for row in CATALOGUE if row["is_core"]}
    user_days = {(a.user_id, a.day) for a in recent if a.user_id is not None and a.is_activity}
    mau = len({user for user, _ in user_days})
    deep = sum(a.uses for a in recent if a.user_id and (a.module, a.feature) in core)
    used = {act.module for act in recent if act.is_use} - {NONE}
    return {
        "mean_dau_30d": Fraction(len(user_days), 30),
        "mau": mau,
        "stickiness_ratio": ratio(Fraction(len(user_days), 30), mau),
        "user_days_30d": len(user_days),
        "active_days_per_user": ratio(len(user_days), mau),
        "core_use_count_30d": deep,
        "depth": ratio(deep, mau),
        "modules_used_30d": len(used),
        "entitled_modules": entitled,
        "breadth_ratio": ratio(len(used), entitled),
    }


def _crowd(facts: Facts, name: str, acts: Sequence[Act], ends_on: date) -> Row:
    people = facts.registered(name, ends_on - 29 * ONE_DAY, ends_on)
    active = users_of(act for act in in_window(acts, ends_on, 30) if act.is_activity)
    ever = users_of(act for act in acts if act.is_activity)
    words = [
        class_of(
            facts,
            [act for act in acts if act.user_id == user],
            registered_on(facts, name, user),
            ends_on,
        )
        for user in people
    ]
    return {
        "registered_users_30d": len(people),
        "active_users": len(active),
        "dormant_users": len(people - active),
        "never_seen_users": len(people - ever),
        **{f"{word}_class_users": words.count(word) for word in CLASSES},
    }
