"""The long form of an account's metrics, with trends and peers, in plain Python.

No code of the product. Source: the project's spec 40 (`account_metrics`), spec 50 (slope) and spec
30 ("Peers"). Values are taken to nine decimals.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import product
from typing import Any

Row = Mapping[str, Any]

QUARTILES = {"min": 0, "p25": 1, "median": 2, "p75": 3, "max": 4}
WORDS = {"account_id", "day", "account_status"}
FEWEST_PEERS = 5
FEWEST_DAYS = 7


def account_metrics(
    daily: Sequence[Row], accounts: Sequence[Row], health: Sequence[Row], today: date
) -> list[dict[str, Any]]:
    """The rows of the mart.

    Args:
        daily: rows of account_metrics_daily, and of the key figures that stand beside it.
        accounts: rows of dim_accounts.
        health: rows of fct_account_health_daily.
        today: the as-of day.
    """
    last = today - timedelta(days=1)
    known = {row["account_id"]: row for row in accounts}
    profiles = {row["account_id"]: row["profile"] for row in health if row["day"] == last}
    values: dict[tuple[str, str], dict[int, Fraction]] = {}
    for row in daily:
        for metric in row.keys() - WORDS:
            if row[metric] is not None:
                days = values.setdefault((row["account_id"], metric), {})
                days[(today - row["day"]).days] = _exact(row[metric])
    there = {row["account_id"] for row in daily if row["day"] == last} & known.keys()
    metrics = sorted({name for row in daily for name in row} - WORDS)
    groups = {name: _groups(known[name], profiles.get(name)) for name in there}
    peers = {name for name in there if known[name]["status"] in ("customer", "past_due")}
    rows = []
    for name, metric in product(sorted(there), metrics):
        others = {
            kind: [
                values[other, metric][1]
                for other in peers - {name}
                if groups[name][kind] is not None
                and groups[other][kind] == groups[name][kind]
                and 1 in values.get((other, metric), {})
            ]
            for kind in ("profile", "segment")
        }
        rows.append(
            {"account_id": name, "metric": metric}
            | _over_time(values.get((name, metric), {}))
            | _peers("profile", others["profile"])
            | _peers("segment", others["segment"])
        )
    return rows


def _exact(value: object) -> Fraction:
    nine = Decimal("0.000000001")
    return Fraction(Decimal(value).quantize(nine, rounding=ROUND_HALF_UP))  # type: ignore[arg-type]


def _groups(account: Row, profile: str | None) -> dict[str, Any]:
    """The two benchmarks of an account; a lead has neither."""
    if account["is_lead"]:
        return {"profile": profile, "segment": None}
    return {"profile": profile, "segment": (account["tier"] or "(none)", account["size_band"])}


def _over_time(days: Mapping[int, Fraction]) -> dict[str, Any]:
    """Value, change, mean and slopes of the days with a value, by how long ago they are."""
    value, before = days.get(1), days.get(31)
    week = [days[ago] for ago in days if ago <= 7]
    change = value - before if value is not None and before is not None else None
    return {
        "value": value,
        "value_30_days_before": before,
        "change_30d": change,
        "change_30d_ratio": change / before if change is not None and before else None,
        "mean_7d": sum(week, Fraction(0)) / len(week) if week else None,
        "known_days_7d": len(week),
        "slope_8_weeks": _slope({a: y for a, y in days.items() if a <= 56}),
        "known_days_8_weeks": sum(ago <= 56 for ago in days),
        "slope_180_days": _slope({a: y for a, y in days.items() if a <= 180}),
        "known_days_180_days": sum(ago <= 180 for ago in days),
    }


def _slope(days: Mapping[int, Fraction]) -> Fraction | None:
    """Least squares, per week, by deviations from the means."""
    if len(days) < FEWEST_DAYS:
        return None
    mean_x = Fraction(-sum(days), len(days))
    mean_y = sum(days.values(), Fraction(0)) / len(days)
    above = sum(((-ago - mean_x) * (y - mean_y) for ago, y in days.items()), Fraction(0))
    return 7 * above / sum(((-ago - mean_x) ** 2 for ago in days), Fraction(0))


def _peers(kind: str, values: Sequence[Fraction]) -> dict[str, Any]:
    """How many others there are and what they have; nothing of fewer than five."""
    told: dict[str, Any] = {f"{kind}_peer_accounts": len(values)}
    enough = len(values) >= FEWEST_PEERS
    told[f"{kind}_peer_average"] = sum(values, Fraction(0)) / len(values) if enough else None
    ordered = sorted(values)
    for name, quartile in QUARTILES.items():
        told[f"{kind}_peer_{name}"] = _quartile(ordered, quartile) if enough else None
    return told


def _quartile(ordered: Sequence[Fraction], quartile: int) -> Fraction:
    """Between the two values next to it, in proportion."""
    place = Fraction(quartile * (len(ordered) - 1), 4)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])
