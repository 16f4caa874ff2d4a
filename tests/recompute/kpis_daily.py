"""The key figures of each account's days, in plain Python: each day asked by itself.

Source: the project's spec 50 ("each KPI is a registry metric, so it has a history") and 00 ("When
a row is known"): the row of day d uses what is known at the first instant of d + 1. Shares no code
with the product.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.recompute.kpi_world import Row, World
from tests.recompute.kpis import (
    NONE,
    ONE_DAY,
    PAYING,
    decimal,
    expansion_parts,
    proximity,
    risk_band,
    risk_parts,
    risk_points,
)

WINDOW = timedelta(days=29)
FORTNIGHT = timedelta(days=13)
QUIET = ("heartbeat", "identify")


def account_kpis_daily(
    world: World,
    value_events: Sequence[Row],
    risk_settings: Mapping[str, float],
    expansion_settings: Mapping[str, float],
) -> list[dict[str, Any]]:
    """The figures of each day that has health and metrics."""
    settings = {name: Fraction(value) for name, value in risk_settings.items()}
    rows = []
    for health in world.rows("health.fct_account_health_daily"):
        account, day = health["account_id"], health["day"]
        metrics = world.on("accounts.account_metrics_daily", account, day)
        if metrics:
            rows.append(
                {
                    "account_id": account,
                    "day": day,
                    "health_score": health["score"],
                    **{
                        name: metrics[name]
                        for name in ("active_seats", "purchased_seats", "seat_adoption_ratio")
                    },
                    **_feature_adoption(world, account, day),
                    **_time_to_value(world, value_events, metrics),
                    **_renewal(health, metrics, settings),
                    "expansion_score": _expansion(world, health, metrics, expansion_settings),
                }
            )
    scores = _engagement(world)
    return [row | {"engagement_score": scores[row["account_id"], row["day"]]} for row in rows]


def _end_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + ONE_DAY


def _is_known(row: Row, day: date) -> bool:
    """Whether this is the version that was known at the day's end."""
    return bool(row["known_from"] <= _end_of(day) < row["known_until"])


def _feature_adoption(world: World, account: str, day: date) -> dict[str, Any]:
    has_events = any(
        row["day"] == day for row in world.rows("intermediate.int_source_watermarks_daily")
    )
    entitled = set(_entitled(world, account, day))
    used = {
        (row["module"], row["feature"])
        for row in world.own("intermediate.int_use_days", account)
        if row["first_day"] <= day <= row["day"] + WINDOW and row["use_count"] > 0
    }
    is_told = bool(entitled) and has_events
    count = len(entitled & used)
    return {
        "entitled_features": len(entitled) or None,
        "entitled_features_used": count if is_told else None,
        "feature_adoption_ratio": Fraction(count, len(entitled)) if is_told else None,
    }


def _entitled(world: World, account: str, day: date) -> Iterator[tuple[str, str]]:
    """Modules and features that the account may use on the day."""
    used_by_anybody = {
        _pair(row)
        for row in world.rows("intermediate.int_use_days")
        if row["first_day"] <= day and row["use_count"] > 0 and NONE not in _pair(row)
    }
    if not any(_has_landed(row, day) for row in world.rows("staging.stg_crm__entitlements")):
        yield from used_by_anybody
        return
    there = [
        row
        for row in world.rows("intermediate.int_modules_known")
        if NONE not in _pair(row) and (_is_listed(row) or _pair(row) in used_by_anybody)
    ]
    for row in _in_force(world, account, day):
        if row.get("module") and row.get("feature"):
            yield _pair(row)
        yield from (_pair(feature) for feature in there if _covers(row, feature))


def _is_listed(row: Row) -> bool:
    """Whether a catalogue that is this product's has the feature."""
    return bool(row["is_in_catalogue"] and row["is_offered"])


def _covers(row: Row, feature: Row) -> bool:
    """Whether an entitlement stands for a feature; a limit stands for none."""
    asked = {name: row.get(name) for name in ("package", "module", "feature")}
    if asked["module"]:
        del asked["package"]
    told = {name: value for name, value in asked.items() if value}
    return bool(told) and all(feature[name] == value for name, value in told.items())


def _pair(row: Row) -> tuple[str, str]:
    return row["module"], row["feature"]


def _has_landed(row: Row, day: date) -> bool:
    return bool(row["valid_from"].date() <= day and row["known_from"] <= _end_of(day))


def _in_force(world: World, account: str, day: date) -> Iterator[Row]:
    """Entitlements, its own and its plans', that hold on the day."""
    plans = {
        (row["plan"] or NONE).lower()
        for row in world.own("intermediate.int_subscription_phases", account)
        if row["policy"] == "standard"
        and _is_known(row, day)
        and row["starts_at"].date() <= day
        and (row["ends_at"] is None or row["ends_at"].date() > day)
    }
    for row in world.rows("staging.stg_crm__entitlements"):
        ends = [row[name] for name in ("valid_to", "deleted_at") if row.get(name) is not None]
        holds = row["valid_from"].date() <= day and all(end.date() > day for end in ends)
        if holds and _is_known(row, day) and _is_for(world, row, account, plans):
            yield row


def _is_for(world: World, row: Row, account: str, plans: set[str]) -> bool:
    whose = row.get("account_id")
    if whose is None:
        return (row.get("plan") or "").lower() in plans
    owners = {
        owner["account_id"]: owner["owner_id"]
        for owner in world.rows("intermediate.int_account_owners")
    }
    return owners.get(whose, whose) == account


def _time_to_value(world: World, value_events: Sequence[Row], metrics: Row) -> dict[str, Any]:
    account, day = metrics["account_id"], metrics["day"]
    started = _started(world, metrics)
    arrived = min(_values(world, value_events, account, day), default=None)
    if started is None:
        return {"time_to_value_days": None, "is_time_to_value_censored": False}
    until = day + ONE_DAY if arrived is None else arrived
    return {
        "time_to_value_days": max((until - started).days, 0),
        "is_time_to_value_censored": arrived is None,
    }


def _started(world: World, metrics: Row) -> date | None:
    """Onboarding, else where tenure counts from; nothing that is still to come."""
    day, tenure = metrics["day"], metrics["tenure_days"]
    company = next(
        (
            row
            for row in world.own("intermediate.int_companies_known", metrics["account_id"])
            if _is_known(row, day)
        ),
        None,
    )
    onboarding = company and company["onboarding_started_at"]
    if onboarding and onboarding.date() <= day:
        return onboarding.date()  # type: ignore[no-any-return]
    has_begun = company is not None and company["created_at"].date() <= day
    if tenure is None or not (tenure > 0 or has_begun):
        return None
    return day - timedelta(days=tenure)  # type: ignore[no-any-return]


def _values(world: World, value_events: Sequence[Row], account: str, day: date) -> Iterator[date]:
    rows = [
        (kind, row[kind], row)
        for row in world.own("intermediate.int_use_days", account)
        for kind in ("module", "feature")
        if row[kind] != NONE
    ]
    rows += [
        ("event", row["event_name"], row)
        for row in world.own("intermediate.int_event_type_days", account)
        if row["event_name"]
    ]
    for kind, name, row in rows:
        for event in value_events:
            if row["first_day"] <= day and event["kind"] == kind and event["name"] in (name, "*"):
                yield row["day"]


def _renewal(health: Row, metrics: Row, s: Mapping[str, Fraction]) -> dict[str, Any]:
    days = metrics["days_to_renewal"]
    near = None if days is None else proximity(days - 1, s)
    points = risk_points(risk_parts(health, metrics, s), near)
    return {
        "renewal_on": None if days is None else metrics["day"] + timedelta(days=days),
        "renewal_risk_points": points,
        "renewal_risk_band": risk_band(points, s),
    }


def _expansion(world: World, health: Row, metrics: Row, s: Mapping[str, float]) -> Decimal | None:
    if metrics["account_status"] not in PAYING:
        return None
    used = max(_limits_used(world, metrics), default=None)
    return decimal(Fraction(sum(expansion_parts(health, metrics, used, s).values())))


def _limits_used(world: World, metrics: Row) -> Iterator[Fraction]:
    """The share that is used of each limit that holds when the day ends."""
    account, day = metrics["account_id"], metrics["day"]
    plans = {
        (row["plan"] or NONE).lower()
        for row in world.own("intermediate.int_subscription_phases", account)
        if row["policy"] == "standard"
        and row["phase"] == "paid"
        and _is_known(row, day)
        and row["starts_at"] < _end_of(day)
        and (row["ends_at"] is None or row["ends_at"] > _end_of(day))
    }
    for row in world.rows("staging.stg_crm__entitlements"):
        if not row.get("limit_quantity") or row.get("usage_metric") is None:
            continue
        ends = [row[name] for name in ("valid_to", "deleted_at") if row.get(name) is not None]
        holds = row["valid_from"] < _end_of(day) and all(end > _end_of(day) for end in ends)
        value = metrics[row["usage_metric"]]
        is_told = holds and value is not None and _is_known(row, day)
        if is_told and _is_for(world, row, account, plans):
            yield Fraction(value) / Fraction(row["limit_quantity"])


def _engagement(world: World) -> dict[tuple[str, date], Decimal | None]:
    """What users do a day, ranked among the day's accounts of the same status (spec 30)."""
    judged = {(h["account_id"], h["day"]) for h in world.rows("health.fct_account_health_daily")}
    rows = [
        row
        for row in world.rows("accounts.account_metrics_daily")
        if (row["account_id"], row["day"]) in judged
    ]
    told = [
        (row["day"], row["account_status"], _actions_a_day(world, row["account_id"], row["day"]))
        for row in rows
    ]
    all_of, by_rate = Counter(key[:2] for key in told), Counter(told)
    less = {
        key: sum(n for other, n in by_rate.items() if other[:2] == key[:2] and other[2] < key[2])
        for key in by_rate
    }
    with_events = {row["day"] for row in world.rows("intermediate.int_source_watermarks_daily")}
    return {
        (row["account_id"], row["day"]): (
            decimal(Fraction(100 * less[key], all_of[key[:2]]) if key[2] >= 1 else Fraction(0))
            if row["day"] in with_events
            else None
        )
        for row, key in zip(rows, told, strict=True)
    }


def _actions_a_day(world: World, account: str, day: date) -> Fraction:
    """Over 14 days, or as many as the account was known to be old; what is known as a user's."""
    actions = sum(
        row["quantity"]
        for row in world.own("intermediate.int_event_type_days", account)
        if row["user_id"] is not None
        and row["event_type"] not in QUIET
        and row["user_first_day"] <= day <= row["day"] + FORTNIGHT
    )
    first = min(
        row["first_day"]
        for row in world.own("intermediate.int_account_first_days", account)
        if row["known_day"] <= day
    )
    return Fraction(actions, min((day - first).days + 1, 14))
