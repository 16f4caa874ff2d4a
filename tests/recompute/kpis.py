"""The key figures of an account, in plain Python, from the marts that they are told of.

Source: the project's spec 50 (`time_to_value`, `time_to_value_cohorts`, `renewal_risk`,
`expansion_opportunities`, `account_kpis`; by day: `kpis_daily`); shares no code with the product.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from tests.recompute.kpi_world import Row, World

ONE_DAY = timedelta(days=1)
MILLIONTH = Decimal("0.000001")
NONE = "(none)"
PAYING = ("customer", "past_due")


def time_to_value(
    world: World, value_events: Sequence[Row], as_of: datetime
) -> list[dict[str, Any]]:
    """From each account's start to the first thing that has value."""
    today = as_of.date()
    rows = []
    for account in _counted(world):
        started, by = _start(world, account, as_of)
        if started >= today:
            continue
        arrived = min(_values(world, value_events, account["account_id"], today), default=None)
        until = today if arrived is None else arrived[0]
        rows.append(
            {
                "account_id": account["account_id"],
                "tier": segment(account["tier"]),
                "size_band": segment(account["size_band"]),
                "started_on": started,
                "started_by": by,
                "first_value_on": arrived and arrived[0],
                "value_event": arrived and arrived[1],
                "days": max((until - started).days, 0),
                "is_censored": arrived is None,
                "is_value_before_start": arrived is not None and arrived[0] < started,
            }
        )
    return rows


def _counted(world: World) -> Iterator[Row]:
    for row in world.rows("accounts.dim_accounts"):
        if not row["is_test"] and not row["is_lead"]:
            yield row


def _start(world: World, account: Row, as_of: datetime) -> tuple[date, str]:
    """Onboarding, else the first trial or paid day, else creation."""
    if account["onboarding_started_at"] is not None:
        return account["onboarding_started_at"].date(), "onboarding"
    phases = [
        row["starts_at"]
        for row in world.own("intermediate.int_subscription_phases", account["account_id"])
        if row["policy"] == "standard" and row["is_latest"] and row["starts_at"] < as_of
    ]
    if phases:
        return min(phases).date(), "subscription"
    return account["created_on"], "creation"


def _values(
    world: World, value_events: Sequence[Row], account: str, today: date
) -> Iterator[tuple[date, str]]:
    happened = [
        (row["day"], kind, row[kind])
        for row in world.own("intermediate.int_use_days", account)
        for kind in ("module", "feature")
        if row[kind] != NONE
    ]
    happened += [
        (row["day"], "event", row["event_name"])
        for row in world.own("intermediate.int_event_type_days", account)
        if row["event_name"]
    ]
    for day, kind, name in happened:
        for event in value_events:
            if day < today and event["kind"] == kind and event["name"] in (name, "*"):
                yield day, event["value_event"]


def time_to_value_cohorts(arrivals: Sequence[Row]) -> list[dict[str, Any]]:
    """Per month of start and segment, the days after which a quarter, half, three quarters came."""
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in arrivals:
        groups[row["started_on"].replace(day=1), row["tier"], row["size_band"]].append(row)
    rows = []
    for (month, tier, size_band), members in groups.items():
        arrived = sum(not row["is_censored"] for row in members)
        waiting = list(_kaplan_meier(members))
        rows.append(
            {
                "month": month,
                "tier": tier,
                "size_band": size_band,
                "accounts": len(members),
                "arrived": arrived,
                "arrived_ratio": Fraction(arrived, len(members)),
                **{
                    name: min((days for days, left in waiting if left <= share), default=None)
                    for name, share in (
                        ("p25_days", Fraction(3, 4)),
                        ("median_days", Fraction(1, 2)),
                        ("p75_days", Fraction(1, 4)),
                    )
                },
            }
        )
    return rows


def _kaplan_meier(members: Sequence[Row]) -> Iterator[tuple[int, Fraction]]:
    """After each number of days, the share that still waits."""
    left = Fraction(1)
    for days in sorted({row["days"] for row in members}):
        at_risk = sum(row["days"] >= days for row in members)
        came = sum(row["days"] == days and not row["is_censored"] for row in members)
        left *= 1 - Fraction(came, at_risk)
        yield days, left


def renewal_risk(world: World, settings: Mapping[str, float], today: date) -> list[dict[str, Any]]:
    """The points that speak against each open renewal."""
    s = {name: Fraction(value) for name, value in settings.items()}
    return [
        _risk(world, row, s, today)
        for row in world.rows("revenue.fct_renewals")
        if row["outcome"] == "open" and not row["is_due"]
    ]


def _risk(world: World, renewal: Row, s: Mapping[str, Fraction], today: date) -> dict[str, Any]:
    account, days = renewal["account_id"], (renewal["renewal_on"] - today).days
    health = world.on("health.fct_account_health_daily", account, today - ONE_DAY)
    metrics = world.on("accounts.account_metrics_daily", account, today - ONE_DAY)
    rounded, near = risk_parts(health, metrics, s), proximity(days, s)
    points = risk_points(rounded, near)
    band = risk_band(points, s)
    return {
        "account_id": account,
        "subscription_id": renewal["subscription_id"],
        "renewal_on": renewal["renewal_on"],
        "days_to_renewal": days,
        "risk_points": points,
        "risk_band": band,
        **rounded,
        "proximity_ratio": near,
        "arr_due": renewal["arr_due"],
        "arr_at_risk": renewal["arr_due"] if band == "high" else Decimal("0.00"),
        "churn_probability": None,
        "expected_loss": None,
        "is_cancellation_scheduled": renewal["is_cancellation_scheduled"],
    }


def risk_parts(health: Row, metrics: Row, s: Mapping[str, Fraction]) -> dict[str, Decimal | None]:
    """What each thing that speaks against a renewal gives, to six digits."""
    score = health.get("score")
    lost = None if score is None else s["health_points"] * (1 - Fraction(score) / 100)
    fallen = -28 * Fraction(health.get("slope") or 0) + s["slope_from"]
    way = min(max(fallen / (s["slope_from"] - s["slope_to"]), Fraction(0)), Fraction(1))
    parts = {
        "points_from_health": lost,
        "points_from_slope": s["slope_points"] * way,
        "points_from_overdue": s["overdue_points"]
        * ((metrics.get("days_overdue") or 0) > s["overdue_days"]),
        "points_from_touch": s["touch_points"] * _is_out_of_touch(metrics, s["touch_days"]),
    }
    return {name: None if v is None else decimal(v) for name, v in parts.items()}


def risk_points(parts: Mapping[str, Decimal | None], near: Decimal | None) -> Decimal | None:
    """All of it, by how near the renewal is."""
    known = [Fraction(part) for part in parts.values() if part is not None]
    if near is None or len(known) < len(parts):
        return None
    return decimal(sum(known, Fraction(0)) * Fraction(near))


def _is_out_of_touch(metrics: Row, limit: Fraction) -> bool:
    if metrics.get("days_since_last_touch") is not None:
        return bool(metrics["days_since_last_touch"] >= limit)
    # Never in touch tells only where a CRM would have told of it.
    return metrics.get("interactions_30d") is not None and (metrics["tenure_days"] or 0) >= limit


def proximity(days: int, s: Mapping[str, Fraction]) -> Decimal | None:
    """What the distance of a renewal leaves of the points."""
    if days <= s["near_days"]:
        return decimal(Fraction(1))
    if days > s["far_days"]:
        return None
    way = (days - s["near_days"]) / (s["far_days"] - s["near_days"])
    return decimal(1 - (1 - s["far_share"]) * way)


def risk_band(points: Decimal | None, s: Mapping[str, Fraction]) -> str | None:
    """The band of so many points."""
    if points is None:
        return None
    if points >= s["high_from"]:
        return "high"
    return "medium" if points >= s["medium_from"] else "low"


def expansion_opportunities(
    world: World, settings: Mapping[str, float], as_of: datetime
) -> list[dict[str, Any]]:
    """What speaks for selling more to each account that pays."""
    yesterday = as_of.date() - ONE_DAY
    return [
        _opportunity(world, row, settings, as_of)
        for row in world.rows("accounts.account_metrics_daily")
        if row["day"] == yesterday and row["account_status"] in PAYING
    ]


def _opportunity(
    world: World, metrics: Row, s: Mapping[str, float], as_of: datetime
) -> dict[str, Any]:
    account = metrics["account_id"]
    health = world.on("health.fct_account_health_daily", account, metrics["day"])
    used = max(_limits_used(world, metrics, as_of), default=None)
    parts = expansion_parts(health, metrics, used and used[0], s)
    total = sum(parts.values())
    critical = any(
        row["is_open"] and row["severity"] == "critical"
        for row in world.own("alerts.fct_alerts", account)
    )
    return {
        "account_id": account,
        "expansion_score": decimal(Fraction(total)),
        **{name: decimal(Fraction(value)) for name, value in parts.items()},
        "health_score": health.get("score"),
        "health_state": health.get("state"),
        "health_slope": health.get("slope"),
        "limit_name": used and used[1],
        "limit_used_quantity": used and used[2],
        "limit_quantity": used and used[3],
        "limit_used_ratio": used and used[0],
        "contacts_engaged_30d": metrics["contacts_engaged_30d"],
        "departments_engaged_30d": metrics["departments_engaged_30d"],
        "has_critical_alert": critical,
        "is_flagged": total >= s["flagged_from"]
        and not critical
        and metrics["account_status"] != "past_due"
        and health.get("state") != "poor",
    }


def expansion_parts(
    health: Row, metrics: Row, limit_used: Fraction | None, s: Mapping[str, float]
) -> dict[str, float]:
    """What each thing that speaks for selling more gives."""
    score, slope = health.get("score"), health.get("slope")
    rises = score is not None and score >= s["score_from"] and (slope or 0) > 0
    people = (metrics["contacts_engaged_30d"] or 0) >= s["contacts_from"] or (
        metrics["departments_engaged_30d"] or 0
    ) >= s["departments_from"]
    is_near = limit_used is not None and limit_used >= Fraction(str(s["limit_ratio"]))
    return {
        "points_from_health": s["health_points"] * rises,
        "points_from_limit": s["limit_points"] * is_near,
        "points_from_people": s["people_points"] * people,
    }


def _limits_used(
    world: World, metrics: Row, as_of: datetime
) -> Iterator[tuple[Fraction, str, Fraction, Fraction]]:
    """The share of each limit that is used, its name, what is used and what may be."""
    owners = {
        row["account_id"]: row["owner_id"] for row in world.rows("intermediate.int_account_owners")
    }
    plans = _plans(world, metrics["account_id"], as_of)
    for limit in world.rows("staging.stg_crm__entitlements"):
        if not _is_valid(limit, as_of):
            continue
        whose = limit.get("account_id")
        is_own = owners.get(whose, whose) == metrics["account_id"]
        if is_own or (whose is None and (limit.get("plan") or "").lower() in plans):
            value = metrics[limit["usage_metric"]]
            quantity = Fraction(limit["limit_quantity"])
            if value is not None:
                name = limit["limit_name"] or limit["usage_metric"]
                yield Fraction(value) / quantity, name, Fraction(value), quantity


def _is_valid(limit: Row, as_of: datetime) -> bool:
    ends = [limit[name] for name in ("valid_to", "deleted_at") if limit.get(name) is not None]
    return bool(
        limit["is_latest"]
        and (limit.get("limit_quantity") or 0) > 0
        and limit.get("usage_metric") is not None
        and limit["valid_from"] < as_of
        and all(end > as_of for end in ends)
    )


def _plans(world: World, account: str, as_of: datetime) -> set[str]:
    plans = {
        row["subscription_id"]: row["plan"]
        for row in world.rows("intermediate.int_subscriptions_linked")
    }
    return {
        (plans[row["subscription_id"]] or NONE).lower()
        for row in world.own("intermediate.int_subscription_phases", account)
        if row["policy"] == "standard"
        and row["is_latest"]
        and row["phase"] == "paid"
        and row["starts_at"] < as_of
        and (row["ends_at"] is None or row["ends_at"] > as_of)
    }


def account_kpis(
    world: World, figures: Sequence[Row], expansions: Sequence[Row], today: date
) -> list[dict[str, Any]]:
    """Each account's key figures: those of the last full day."""
    yesterday = today - ONE_DAY
    told = {row["account_id"]: row for row in figures if row["day"] == yesterday}
    chances = {row["account_id"]: row for row in expansions}
    names = {name for row in figures for name in row} - {"account_id", "day"}
    rows = []
    for account in _counted(world):
        name = account["account_id"]
        health = world.on("health.fct_account_health_daily", name, yesterday)
        rows.append(
            {
                **{figure: told.get(name, {}).get(figure) for figure in names},
                "account_id": name,
                "health_state": health.get("state", "unknown"),
                "is_time_to_value_censored": told.get(name, {}).get(
                    "is_time_to_value_censored", False
                ),
                "is_expansion_flagged": chances.get(name, {}).get("is_flagged", False),
            }
        )
    return rows


def segment(word: str | None) -> str:
    """An attribute as a segment: an empty one is named."""
    return (word or "").strip() or NONE


def decimal(value: Fraction) -> Decimal:
    """To six digits, half away from zero."""
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    return exact.quantize(MILLIONTH, rounding=ROUND_HALF_UP)
