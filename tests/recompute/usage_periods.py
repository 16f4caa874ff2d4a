"""Use by month, quarter and year once more, in plain Python; no code of the product.

Source: the project's spec 30 (`usage_monthly` and its kin, `module_adoption_monthly`, `dim_dates`).
Fiscal years start in January here.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from tests.recompute.activity import ONE_DAY
from tests.recompute.calendars import local_day, next_month, shifted_month
from tests.recompute.usage_daily import grouped
from tests.recompute.usage_entitlements import entitled_things, nameable
from tests.recompute.usage_facts import (
    NONE,
    Act,
    Facts,
    days_between,
    seconds,
    users_of,
    visitors_of,
)
from tests.recompute.usage_licenses import licenses
from tests.recompute.usage_world import ADOPTION

Row = dict[str, Any]

MONTHS = {"month": 1, "quarter": 3, "year": 12}


def period_of(day: date, unit: str) -> date:
    """The first day of the month, quarter or year that a day falls in."""
    months = MONTHS[unit]
    return date(day.year, (day.month - 1) // months * months + 1, 1)


def usage_by(facts: Facts, unit: str) -> list[Row]:
    """The rows of `usage_monthly`, `usage_quarterly` or `usage_yearly`."""

    def key(act: Act) -> dict[str, Any]:
        return {
            "account_id": act.account_id,
            "package": act.package,
            "module": act.module,
            "feature": act.feature,
            unit: period_of(act.day, unit),
        }

    return [
        {**where, **_summed(acts), "is_partial": _is_partial(where[unit], unit, facts)}
        for where, acts in grouped(facts.acts, key)
    ]


def account_usage_by(facts: Facts, unit: str) -> list[Row]:
    """The rows of `account_usage_monthly`, `_quarterly` or `_yearly`, gaps filled."""
    rows = []
    for name in facts.names:
        start = period_of(facts.first_day(name), unit)
        while start < facts.today:
            own = [
                act
                for act in facts.acts
                if act.account_id == name and period_of(act.day, unit) == start
            ]
            is_partial = _is_partial(start, unit, facts)
            rows.append({"account_id": name, unit: start, **_summed(own), "is_partial": is_partial})
            start = shifted_month(start, MONTHS[unit])
    return rows


def _is_partial(start: date, unit: str, facts: Facts) -> bool:
    return shifted_month(start, MONTHS[unit]) > facts.today


def _summed(acts: Sequence[Act]) -> Row:
    active = [act for act in acts if act.is_activity]
    return {
        "interactions": sum(act.uses for act in acts),
        "active_users": len(users_of(active)),
        "anonymous_users": len(visitors_of(active)),
        "active_seconds": seconds(acts),
    }


def module_adoption_monthly(facts: Facts) -> list[Row]:
    """The rows of the mart, the account's attributes but tier and profile aside."""
    known = nameable(facts)
    rows = []
    for name in facts.names:
        month = period_of(facts.first_day(name), "month")
        while month < facts.today:
            ends_on = min(next_month(month), facts.today) - ONE_DAY
            rows.extend(_adoption(facts, known, name, month, ends_on))
            month = next_month(month)
    return rows


def _adoption(facts: Facts, known: list[Row], name: str, month: date, ends_on: date) -> list[Row]:
    own = [a for a in facts.acts if a.account_id == name and month <= a.day <= ends_on]
    used = {act.module for act in own if act.is_use} - {NONE}
    entitled = {thing[0] for thing in entitled_things(facts, known, name, ends_on)}
    registered = len(
        set().union(*(facts.registered(name, day, day) for day in days_between(month, ends_on)))
    )
    return [
        {
            "account_id": name,
            "module": module,
            "month": month,
            "package": _package(known, module),
            **_as_at(facts, name, month, ends_on),
            **_use_of([act for act in own if act.module == module], module),
            "registered_users": registered,
            "seats": _seats(facts, name, _package(known, module), ends_on),
            "is_entitled": module in entitled,
            "is_partial": next_month(month) > facts.today,
        }
        for module in sorted(used | entitled)
    ]


def _package(known: list[Row], module: str) -> str | None:
    named = [r["package"] for r in known if r["module"] == module and r["package"] != NONE]
    return min(named, default=None)


def _as_at(facts: Facts, name: str, month: date, ends_on: date) -> Row:
    """What the account was at the month's end: nothing before it was created or subscribed.

    A lead has no health, and so no profile.
    """
    account = next(a for a in facts.accounts if a["account_id"] == name)
    billed = [
        s["started_at"]
        for s in facts.world.books.subscriptions
        if s["account_id"] == name and s["started_at"] < facts.as_of
    ]
    since = local_day(min([account["created_at"], *billed]), facts.zone)
    is_known = local_day(account["created_at"], facts.zone) <= ends_on
    return {
        "tier": account["tier"] if period_of(since, "month") <= month else None,
        "profile": "ongoing" if is_known and not account.get("is_lead") else None,
    }


def _use_of(acts: Sequence[Act], module: str) -> Row:
    uses = [act for act in acts if act.is_use]
    asked = {row["module"]: row["adopted_from_days"] for row in ADOPTION}
    days = len({act.day for act in uses})
    return {
        "users": len(users_of(uses)),
        "active_seconds": seconds(acts),
        "use_count": sum(act.uses for act in uses),
        "days_used": days,
        "is_adopted": days >= asked.get(module, asked["*"]),
    }


def _seats(facts: Facts, name: str, package: str | None, day: date) -> int | None:
    """Seats of the package's licences that are Active or Trial; nothing where one has no limit."""
    limits = [
        one.limit
        for one in licenses(facts)
        if one.row["account_id"] == name
        and one.row["package"] == package
        and one.started_on <= day
        and one.status(day, day) in ("Active", "Trial")
    ]
    known = [limit for limit in limits if limit is not None]
    return sum(known) if limits and len(known) == len(limits) else None


def dates(facts: Facts) -> list[Row]:
    """The rows of `dim_dates`, with fiscal years that are calendar years."""
    first = min(facts.first_day(name) for name in facts.names)
    last = date(facts.today.year + 1, facts.today.month, facts.today.day)
    return [
        {
            "day": day,
            "week": day - day.weekday() * ONE_DAY,
            **{unit: period_of(day, unit) for unit in MONTHS},
            "fiscal_quarter_start": period_of(day, "quarter"),
            "fiscal_year": day.year,
            "fiscal_quarter": (day.month + 2) // 3,
            "day_of_week": day.isoweekday(),
            "is_weekend": day.isoweekday() >= 6,
            "is_past": day < facts.today,
        }
        for day in days_between(first, last)
    ]
