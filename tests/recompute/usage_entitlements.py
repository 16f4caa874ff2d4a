"""Modules, features and who may use them once more, in plain Python; no code of the product.

Source: the project's spec 30 (`dim_modules`, "Peers"); what an entitlement leaves open it grants.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

from tests.recompute.usage_facts import NONE, Facts, Row
from tests.recompute.usage_world import CATALOGUE

# A module, or a module and a feature.
Thing = tuple[str, ...]


def modules(facts: Facts) -> list[dict[str, Any]]:
    """The rows of `dim_modules`."""
    listed = {(row["module"], row["feature"]): row for row in CATALOGUE}
    seen = {(act.module, act.feature) for act in facts.acts}
    rows = []
    for module, feature in sorted({*listed, *seen}):
        own = [a for a in facts.acts if (a.module, a.feature) == (module, feature)]
        named = sorted((a.day, a.package) for a in own if a.package != NONE)
        row = listed.get((module, feature))
        rows.append(
            {
                "module": module,
                "feature": feature,
                "package": row["package"] if row else named[0][1] if named else NONE,
                "is_core": bool(row and row["is_core"]),
                "is_in_catalogue": row is not None,
                "first_seen_on": min((act.day for act in own), default=None),
            }
        )
    return rows


def nameable(facts: Facts) -> list[dict[str, Any]]:
    """The modules and features that an entitlement may leave open.

    What nobody ever used is one where something else is used that the catalogue has in its package.
    """
    rows = modules(facts)
    known = {r["package"] for r in rows if r["is_in_catalogue"] and r["first_seen_on"] is not None}
    return [
        row
        for row in rows
        if row["module"] != NONE and (not row["is_in_catalogue"] or row["package"] in known)
    ]


def entitled_things(
    facts: Facts, known: list[dict[str, Any]], account: str, day: date
) -> set[Thing]:
    """The modules, and the modules with each feature, that the account may use on a day.

    Args:
        facts: the world.
        known: what `nameable` says of it.
        account: the account.
        day: the day at whose end the entitlement holds.
    """
    pairs: set[Thing] = set()
    if not _landed(facts):
        used = [m for m in known if m["first_seen_on"] is not None]
        pairs = {(m["module"], m["feature"]) for m in used}
    for row in _landed(facts):
        if _holds(facts, row, account, day):
            pairs |= set(_granted(row, known))
    return pairs | {(module,) for module, _ in pairs}


def told_things(facts: Facts, known: list[dict[str, Any]], account: str, day: date) -> set[Thing]:
    """The same where an entitlement says so, of what has a name."""
    things = entitled_things(facts, known, account, day) if _landed(facts) else set()
    return {thing for thing in things if NONE not in thing}


def _landed(facts: Facts) -> list[Row]:
    return [row for row in facts.world.entitlements if row["valid_from"] < facts.as_of]


def _holds(facts: Facts, row: Row, account: str, day: date) -> bool:
    """Whether it is the account's, or of a plan that it is on, at the day's end."""
    end = row["valid_to"]
    is_over = end is not None and facts.day_of(end) <= day
    if is_over or facts.day_of(row["valid_from"]) > day:
        return False
    if row.get("account_id") is not None:
        return bool(row["account_id"] == account)
    return (row.get("plan") or "").lower() in _plans_on(facts, account, day)


def _plans_on(facts: Facts, account: str, day: date) -> set[str]:
    found = set()
    for plan, span in facts.plans[account]:
        is_over = span.end is not None and facts.day_of(span.end) <= day
        if facts.day_of(span.start) <= day and not is_over:
            found.add(plan.lower())
    return found


def _granted(row: Row, known: list[dict[str, Any]]) -> Iterator[Thing]:
    """What it names itself, and every known feature that it leaves open."""
    if row["module"] is not None:
        yield (row["module"], row["feature"] or NONE)
    if not any(row[name] for name in ("package", "module", "feature")):
        return
    for one in known:
        named = ["module", "feature"] if row["module"] else ["feature", "package"]
        if all(row[name] in (None, one[name]) for name in named):
            yield (one["module"], one["feature"])
