"""Use in windows that end at the as-of day once more, in plain Python; no code of the product.

Source: the project's spec 30 (`account_module_usage` and its kin, `user_leaderboard`, "Peers").
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date
from fractions import Fraction
from math import ceil
from typing import Any

from tests.recompute.activity import ONE_DAY, module_usage
from tests.recompute.usage_daily import grouped
from tests.recompute.usage_entitlements import Thing, entitled_things, nameable, told_things
from tests.recompute.usage_facts import NONE, Act, Facts, in_window, ratio, seconds, users_of
from tests.recompute.usage_statuses import is_active_account

Row = dict[str, Any]
Naming = Callable[[Act], Thing]

QUARTILES = {"p25": Fraction(1, 4), "median": Fraction(1, 2), "p75": Fraction(3, 4)}


def by_module(act: Act) -> Thing:
    """What a module mart is about."""
    return (act.module,)


def by_feature(act: Act) -> Thing:
    """What a feature mart is about."""
    return (act.module, act.feature)


def account_usage(facts: Facts, naming: Naming) -> list[Row]:
    """The rows of `account_module_usage` or `account_feature_usage`, peers and all."""
    last = facts.today - ONE_DAY
    known = nameable(facts)
    length = 2 if naming is by_feature else 1
    rows: list[Row] = []
    for name in facts.names:
        registered = len(facts.registered(name, last - 29 * ONE_DAY, last))
        own = [act for act in facts.acts if act.account_id == name]
        found = []
        used = dict(_things(own, naming))
        unused = told_things(facts, known, name, last) - used.keys()
        for thing in (*used, *(thing for thing in unused if len(thing) == length)):
            moments = [act.moment for act in used.get(thing, ())]
            row = module_usage(thing[0], moments, registered, last)
            found.append({"account_id": name, **_named(thing), **row})
        rows.extend(_ranked(found, is_by_count=naming is by_feature, unused=unused))
    may_use = {name: entitled_things(facts, known, name, last) for name in facts.names}
    active = {name for name in facts.names if is_active_account(facts, name)}
    return [row | _peers(row, rows, facts, may_use, active) for row in rows]


def user_usage(facts: Facts, naming: Naming) -> list[Row]:
    """The rows of `user_module_usage` or `user_feature_usage`."""
    rows: list[Row] = []
    last = facts.today - ONE_DAY
    people = {(a.account_id, a.user_id) for a in facts.acts if a.user_id is not None}
    for account, user in sorted(people):
        own = [a for a in facts.acts if (a.account_id, a.user_id) == (account, user)]
        found = [
            {"account_id": account, "user_id": user, **_named(thing), **_of_user(acts, last)}
            for thing, acts in _things(own, naming)
        ]
        rows.extend(_ranked(found, is_by_count=naming is by_feature))
    return rows


def _things(acts: Sequence[Act], naming: Naming) -> list[tuple[Thing, list[Act]]]:
    """The modules or features that were ever used, or in which time was spent."""
    found = []
    for thing in sorted({naming(act) for act in acts}):
        own = [act for act in acts if naming(act) == thing]
        if any(act.is_use for act in own) or seconds(own) > 0:
            found.append((thing, own))
    return found


def _named(thing: Thing) -> Row:
    return dict(zip(("module", "feature"), thing, strict=False))


def _of_user(acts: Sequence[Act], last: date) -> Row:
    now, before = in_window(acts, last, 30), in_window(acts, last, 30, back=30)
    days = {act.day for act in now if act.is_use}
    on_days = seconds(act for act in now if act.day in days)
    count, prior_count = sum(a.uses for a in now), sum(a.uses for a in before)
    prior = seconds(before)
    return {
        "total_seconds": seconds(now),
        "total_count": count,
        "days_used": len(days),
        "time_per_user_per_day_used": ratio(on_days, len(days)),
        "count_per_user_per_day_used": ratio(count, len(days)),
        "last_used_on": max((act.day for act in acts if act.is_use), default=None),
        "prior_total_seconds": prior,
        "prior_total_count": prior_count,
        "prior_days_used": len({act.day for act in before if act.is_use}),
        "total_seconds_change_ratio": ratio(seconds(now) - prior, prior),
        "total_count_change_ratio": ratio(count - prior_count, prior_count),
    }


def _ranked(rows: Sequence[Row], *, is_by_count: bool, unused: Collection[Thing] = ()) -> list[Row]:
    """Modules by seconds, features by count, ties by name; what has no name has no rank.

    What was never used comes after what was.
    """

    def place(row: Row) -> tuple[Any, ...]:
        if is_by_count:
            is_last = (row["module"], row["feature"]) in unused
            return (-row["total_count"], is_last, row["feature"], row["module"])
        return (-row["total_seconds"], (row["module"],) in unused, row["module"])

    named = [row for row in rows if row["feature" if is_by_count else "module"] != NONE]
    ranks = {id(row): rank for rank, row in enumerate(sorted(named, key=place), start=1)}
    return [
        row | {"rank": ranks.get(id(row)), "is_top_10": ranks.get(id(row), 11) <= 10}
        for row in rows
    ]


def _peers(
    row: Row,
    rows: Sequence[Row],
    facts: Facts,
    may_use: dict[str, set[Thing]],
    active: Collection[str],
) -> Row:
    """Other active accounts that may use the thing or do: of the profile, and of the segment.

    A lead is nobody's peer, and has none.
    """
    thing = tuple(row[name] for name in ("module", "feature") if name in row)
    users = {
        other["account_id"]: other["users"]
        for other in rows
        if all(other[name] == row[name] for name in _named(thing))
    }
    leads = {a["account_id"] for a in facts.accounts if a.get("is_lead")}
    able = [
        name
        for name in facts.names
        if name != row["account_id"]
        and name in active
        and (thing in may_use[name] or users.get(name, 0) > 0)
    ]
    if row["account_id"] in leads:
        able = []
    segments = {a["account_id"]: (a["tier"] or NONE, a["size_band"]) for a in facts.accounts}
    alike = [name for name in able if segments[name] == segments[row["account_id"]]]
    return {
        **_benchmark("profile_peer", able, users, facts),
        **_benchmark("peer", alike, users, facts),
    }


def _benchmark(prefix: str, peers: Sequence[str], users: dict[str, int], facts: Facts) -> Row:
    """Suppressed under five; whoever may use it and does not counts with nobody."""
    last = facts.today - ONE_DAY
    ordered = sorted(users.get(name, 0) for name in peers)
    using = sum(ordered)
    registered = sum(len(facts.registered(n, last - 29 * ONE_DAY, last)) for n in peers)
    is_shown = len(peers) >= 5
    return {
        f"{prefix}_accounts": len(peers),
        f"{prefix}_average_users": ratio(using, len(peers)) if is_shown else None,
        f"{prefix}_adoption_rate": ratio(using, registered) if is_shown else None,
        f"{prefix}_min_users": ordered[0] if is_shown else None,
        f"{prefix}_max_users": ordered[-1] if is_shown else None,
        **{
            f"{prefix}_{word}_users": _quantile(ordered, share) if is_shown else None
            for word, share in QUARTILES.items()
        },
    }


def _quantile(ordered: Sequence[int], share: Fraction) -> Fraction:
    """The value that so many of the others lie below, between two of them in proportion."""
    place = share * (len(ordered) - 1)
    low = ordered[int(place)]
    return low + (place - int(place)) * (ordered[ceil(place)] - low)


def leaderboard(facts: Facts) -> list[Row]:
    """The rows of `user_leaderboard`."""
    last = facts.today - ONE_DAY
    acts = [act for act in facts.acts if act.user_id is not None]
    rows: list[Row] = []
    for where, own in grouped(acts, lambda act: {"account_id": act.account_id}):
        for days in (7, 14, 30, 90):
            before = {
                user: rank for rank, user, _, _ in _places(in_window(own, last, days, back=days))
            }
            for rank, user, spent, actions in _places(in_window(own, last, days)):
                prior = before.get(user)
                rows.append(
                    {
                        **where,
                        "period_days": days,
                        "user_id": user,
                        "rank": rank,
                        "prior_rank": prior,
                        "rank_change": None if prior is None else prior - rank,
                        "active_seconds": spent,
                        "actions": actions,
                        "is_new": prior is None,
                    }
                )
    return rows


def _places(acts: Iterable[Act]) -> list[tuple[int, str, Fraction, int]]:
    """Whoever was active, in order: by time, then actions, then name."""
    own = list(acts)
    found = []
    for user in users_of(act for act in own if act.is_activity):
        theirs = [act for act in own if act.user_id == user]
        actions = sum(act.moment.quantity for act in theirs if act.is_activity)
        found.append((-seconds(theirs), -actions, user))
    return [
        (rank, user, -spent, -actions)
        for rank, (spent, actions, user) in enumerate(sorted(found), start=1)
    ]
