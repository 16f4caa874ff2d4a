"""Health once more, in plain Python, from the metrics' rows; shares no code with the product.

Exact fractions, rounded where the spec rounds. Source of every rule: the project's spec 50
("Profiles and conditions", "Edges", "Reasons", "Slope") and spec 00 ("Numbers").
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.recompute.metrics import Known, first_day_known, watermark_on
from tests.recompute.revenue import first_instant

Row = Mapping[str, Any]

FULL_MARKS = {"good": Fraction(100), "average": Fraction(50), "poor": Fraction(0)}
MILLIONTH = Decimal("0.000001")
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """Both health marts as lists of rows."""

    daily: list[dict[str, Any]]
    conditions: list[dict[str, Any]]


@dataclass(kw_only=True)
class Reading:
    """One condition of one account day, from what it read to what it gave."""

    condition: Row
    value: Fraction | None
    is_warming_up: bool
    freshness: Fraction
    weight: Fraction = Fraction(0)

    @property
    def name(self) -> str:
        """The condition's name."""
        return str(self.condition["condition"])

    @property
    def live_weight(self) -> Fraction:
        """The nominal weight as far as its input is fresh."""
        return Fraction(self.condition["weight"]) * self.freshness

    @property
    def band(self) -> str | None:
        """Good, average or poor; a band holds its lower edge. None without an input."""
        if self.value is None or self.is_warming_up:
            return None
        reached = sum(
            self.value >= Fraction(self.condition[edge]) for edge in ("lower_edge", "upper_edge")
        )
        words = ("poor", "average", "good")
        return words[reached if self.condition["direction"] == "higher" else 2 - reached]

    @property
    def contribution(self) -> Fraction:
        """What it gives to the score."""
        return self.weight * FULL_MARKS[self.band] if self.band else Fraction(0)

    @property
    def points_lost(self) -> Fraction:
        """What full marks would add."""
        return self.weight * 100 - self.contribution


def judge(
    known: Known,
    metrics: Sequence[Row],
    profile: Row,
    conditions: Sequence[Row],
    sources: Mapping[str, str],
) -> Judgement:
    """The rows of `fct_account_health_daily` and `fct_health_conditions_daily`.

    Args:
        known: what landed, for watermarks and the accounts' first days.
        metrics: rows of `account_metrics_daily`.
        profile: the one profile.
        conditions: its conditions.
        sources: the source of each metric.
    """
    daily: list[dict[str, Any]] = []
    shown: list[dict[str, Any]] = []
    for row in metrics:
        instant = first_instant(row["day"] + ONE_DAY, known.zone)
        history = (row["day"] - first_day_known(known, row["account_id"], instant)).days + 1
        readings = [read(known, row, c, sources[c["metric"]], history) for c in conditions]
        coverage = weigh(readings)
        day = account_day(row, profile, readings, coverage)
        daily.append(day)
        reasons = reasons_of(readings, day, profile)
        shown.extend(_condition_row(row, profile, r, r.name in reasons) for r in readings)
    add_slopes(daily)
    return Judgement(daily=daily, conditions=shown)


def read(known: Known, row: Row, condition: Row, source: str, history: int) -> Reading:
    """What a condition reads of a day with so many days of history, and what weight that leaves."""
    day: date = row["day"]
    value = row[condition["metric"]]
    is_warming_up = history < int(condition["minimum_history_days"])
    watermark = watermark_on(known, source, day)
    freshness = Fraction(0)
    if value is not None and watermark is not None and not is_warming_up:
        freshness = fade((day - watermark).days, condition)
    return Reading(
        condition=condition,
        value=None if value is None else Fraction(_decimal(Fraction(value))),
        is_warming_up=is_warming_up,
        freshness=freshness,
    )


def fade(days: int, condition: Row) -> Fraction:
    """1 while an input is fresh, 0 once it is stale, and a straight line between."""
    fresh, stale = int(condition["fresh_days"]), int(condition["stale_days"])
    if days <= fresh:
        return Fraction(1)
    if days >= stale:
        return Fraction(0)
    return Fraction(_decimal(Fraction(stale - days, stale - fresh)))


def weigh(readings: Sequence[Reading]) -> Fraction:
    """Gives each reading its share of the score, and tells the coverage.

    A missing input's weight goes to the rest of its component, an empty component's to the others.
    The shares are rounded and sum to 1: what rounding leaves goes to the last condition by name.
    """
    nominal: dict[str, Fraction] = defaultdict(Fraction)
    live: dict[str, Fraction] = defaultdict(Fraction)
    for r in readings:
        nominal[r.condition["component"]] += Fraction(r.condition["weight"])
        live[r.condition["component"]] += r.live_weight
    whole = sum((nominal[c] for c in nominal if live[c] > 0), Fraction(0))
    weighing = [r for r in readings if r.live_weight > 0]
    for r in weighing:
        component = r.condition["component"]
        share = nominal[component] * r.live_weight / live[component] / whole
        r.weight = round(share, 6)
    if weighing:
        last = max(weighing, key=lambda r: r.name)
        last.weight += 1 - sum((r.weight for r in weighing), Fraction(0))
    return sum(live.values(), Fraction(0)) / sum(nominal.values(), Fraction(0))


def account_day(
    row: Row, profile: Row, readings: Sequence[Reading], coverage: Fraction
) -> dict[str, Any]:
    """The day's score and state."""
    raw_score = sum((r.contribution for r in readings), Fraction(0))
    share = _decimal(coverage)
    is_known = share >= Decimal(profile["minimum_coverage"])
    return {
        "account_id": row["account_id"],
        "day": row["day"],
        "profile": profile["profile"],
        "score": _decimal(raw_score) if is_known else None,
        "state": _state(raw_score, profile) if is_known else "unknown",
        "unknown_reason": None if is_known else _unknown_reason(readings, share),
        "coverage": share,
        "raw_score": _decimal(raw_score),
    }


def _state(score: Fraction, profile: Row) -> str:
    if score >= Fraction(profile["good_from"]):
        return "good"
    return "average" if score >= Fraction(profile["average_from"]) else "poor"


def _unknown_reason(readings: Sequence[Reading], coverage: Decimal) -> str:
    if any(r.is_warming_up for r in readings):
        return "warming up"
    return "no data" if coverage == 0 else "low coverage"


def reasons_of(readings: Sequence[Reading], day: Row, profile: Row) -> set[str]:
    """The conditions that the state is due to."""
    state = day["state"]
    if state == "unknown":
        return set()
    weighing = [r for r in readings if r.weight > 0]
    if state == "good":
        won = [r for r in weighing if r.contribution > 0]
        return _three(won, {r.name: r.contribution for r in won})
    edge = Fraction(profile["good_from" if state == "average" else "average_from"])
    lost = [r for r in weighing if r.points_lost > 0]
    decisive = [r for r in lost if Fraction(day["raw_score"]) + r.points_lost >= edge]
    if decisive:
        return {r.name for r in decisive}
    return _three(lost, {r.name: r.points_lost for r in lost})


def _three(readings: Sequence[Reading], points: Mapping[str, Fraction]) -> set[str]:
    ordered = sorted(readings, key=lambda r: (-points[r.name], r.name))
    return {r.name for r in ordered[:3]}


def _condition_row(row: Row, profile: Row, reading: Reading, is_reason: bool) -> dict[str, Any]:  # noqa: FBT001
    return {
        "account_id": row["account_id"],
        "day": row["day"],
        "condition": reading.name,
        "profile": profile["profile"],
        "component": reading.condition["component"],
        "metric": reading.condition["metric"],
        "metric_value": None if reading.value is None else _decimal(reading.value),
        "band": reading.band,
        "score": _decimal(FULL_MARKS[reading.band]) if reading.band else None,
        "freshness_ratio": _decimal(reading.freshness),
        "effective_weight": _decimal(reading.weight),
        "contribution": _decimal(reading.contribution),
        "influences_state": is_reason,
        "is_warming_up": reading.is_warming_up,
    }


def add_slopes(daily: list[dict[str, Any]]) -> None:
    """Least squares over the days with a score among the last 28; None under 7 of them."""
    scores: dict[str, dict[date, Fraction]] = defaultdict(dict)
    for row in daily:
        if row["score"] is not None:
            scores[row["account_id"]][row["day"]] = Fraction(row["score"])
    for row in daily:
        own = scores[row["account_id"]]
        days = [row["day"] - back * ONE_DAY for back in range(28)]
        slope = _slope([(day.toordinal(), own[day]) for day in days if day in own])
        row["slope"] = slope
        row["arrow"] = None if slope is None else _arrow(slope)


def _slope(points: Sequence[tuple[int, Fraction]]) -> Fraction | None:
    if len(points) < 7:
        return None
    mean_x = Fraction(sum(x for x, _ in points), len(points))
    mean_y = sum((y for _, y in points), Fraction(0)) / len(points)
    above = sum(((x - mean_x) * (y - mean_y) for x, y in points), Fraction(0))
    return above / sum(((x - mean_x) ** 2 for x, _ in points), Fraction(0))


def _arrow(slope: Fraction) -> str:
    if 28 * slope > 3:
        return "up"
    return "down" if 28 * slope < -3 else "flat"


def _decimal(value: Fraction) -> Decimal:
    """To six digits, half away from zero."""
    scaled = abs(value) * 1_000_000
    whole = int(scaled + Fraction(1, 2))
    return (Decimal(whole) * MILLIONTH).quantize(MILLIONTH) * (1 if value >= 0 else -1)
