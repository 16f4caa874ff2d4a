"""How one value is judged, in plain Python; shares no code with the product.

Exact fractions, rounded where the spec rounds. Source of every rule: the project's spec 50
("Profiles and conditions", "Edges") and spec 00 ("Numbers").
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

Row = Mapping[str, Any]

MILLIONTH = Decimal("0.000001")
NUMBER_OPERATORS = ("at_least", "at_most", "above", "below")


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The health seeds of one configuration, as rows of text; an empty cell is None."""

    version: str
    profiles: Sequence[Row]
    conditions: Sequence[Row]
    filters: Sequence[Row] = ()
    parts: Sequence[Row] = ()
    thresholds: Sequence[Row] = ()
    caps: Sequence[Row] = ()

    def profile(self, name: str) -> Row:
        """A profile by its name."""
        return next(row for row in self.profiles if row["profile"] == name)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """All that is known of an account at the end of a day.

    Attributes:
        numbers: the day's metrics by name.
        scoped: those of a scope by (metric, scope).
        words: the account's attributes.
        age: days of history.
        stale: by source, days since the last one that it had delivered; absent without any.
    """

    account_id: str
    day: date
    numbers: Mapping[str, Any]
    scoped: Mapping[tuple[str, str], Any]
    words: Mapping[str, str | None]
    age: int
    stale: Mapping[str, int]

    def value(self, metric: str, scope: str | None) -> Fraction | None:
        """A metric's value to six digits; None without one."""
        found = self.scoped.get((metric, scope)) if scope else self.numbers.get(metric)
        return None if found is None else Fraction(decimal(Fraction(found)))


@dataclass(kw_only=True)
class Reading:
    """One condition of one account day, from what it read to what it gave."""

    condition: Row
    metric: str
    scope: str | None
    edges: tuple[Fraction, Fraction]
    value: Fraction | None
    is_warming_up: bool
    freshness: Fraction
    profile: Row
    nominal: Fraction
    weight: Fraction = field(default_factory=Fraction)

    @property
    def name(self) -> str:
        """The condition's name."""
        return str(self.condition["condition"])

    @property
    def live_weight(self) -> Fraction:
        """The nominal weight as far as its input is fresh."""
        return self.nominal * self.freshness

    @property
    def score(self) -> Fraction | None:
        """The points; None without an input that counts."""
        return None if self.value is None or self.is_warming_up else self.score_of(self.value)

    def score_of(self, value: Fraction) -> Fraction:
        """The points of a value by this condition's kind, direction and edges, to six digits."""
        low, high = self.edges
        is_higher = self.condition["direction"] == "higher"
        if self.condition.get("kind") == "linear":
            way = (value - low) / (high - low) if is_higher else (high - value) / (high - low)
            return Fraction(decimal(100 * min(max(way, Fraction(0)), Fraction(1))))
        reached = (value >= low) + (value >= high)
        return Fraction(50 * (reached if is_higher else 2 - reached))

    @property
    def band(self) -> str | None:
        """Good, average or poor."""
        if self.score is None:
            return None
        if self.condition.get("kind") == "linear":
            return state_of(self.score, self.profile)
        return {0: "poor", 50: "average", 100: "good"}[int(self.score)]

    @property
    def contribution(self) -> Fraction:
        """What it gives to the score, to six digits."""
        return Fraction(decimal(self.weight * (self.score or 0)))

    @property
    def points_lost(self) -> Fraction:
        """What full marks would add."""
        return self.weight * 100 - self.contribution


def state_of(score: Fraction, profile: Row) -> str:
    """The state by the profile's edges; an edge belongs to the better one."""
    if score >= Fraction(profile["good_from"]):
        return "good"
    return "average" if score >= Fraction(profile["average_from"]) else "poor"


def profile_of(facts: Facts, rules: Rules) -> Row:
    """The first whose filters all hold."""
    for profile in sorted(rules.profiles, key=lambda p: int(p["position"])):
        own = [f for f in rules.filters if f["profile"] == profile["profile"]]
        if all(_holds(facts, row) for row in own):
            return profile
    raise AssertionError("the last profile has filters")


def _holds(facts: Facts, row: Row) -> bool:
    operator, wanted = row["operator"], row["value"]
    if operator in NUMBER_OPERATORS:
        numbers = dict(facts.numbers) | {"age_days": facts.age}
        return is_on_side(numbers.get(row["attribute"]), operator, wanted)
    if row["attribute"] not in facts.words:
        return False
    word = facts.words[row["attribute"]]
    if not word:
        return False
    listed = word in wanted.split("|") if operator in ("in", "not_in") else word == wanted
    return listed if operator in ("is", "in") else not listed


def is_on_side(value: Any, operator: str, edge: str) -> bool:
    """Whether a number lies on the side of an edge; a missing one doesn't."""
    if value is None:
        return False
    number, limit = Fraction(value), Fraction(edge)
    sides = {
        "at_least": number >= limit,
        "at_most": number <= limit,
        "above": number > limit,
        "below": number < limit,
    }
    return sides[operator]


def read_all(
    facts: Facts, rules: Rules, profile: Row, sources: Mapping[str, str], age: int
) -> list[Reading]:
    """What a profile's conditions read of a day, with the edges that hold at an age; weighed."""
    readings = [
        _read(facts, rules, condition, profile, sources, age)
        for condition in rules.conditions
        if condition["profile"] == profile["profile"]
    ]
    weigh(readings)
    return readings


def _read(
    facts: Facts, rules: Rules, condition: Row, profile: Row, sources: Mapping[str, str], age: int
) -> Reading:
    metric, scope = _read_what(facts, rules, condition)
    value = facts.value(metric, scope)
    is_warming_up = facts.age < int(condition["minimum_history_days"])
    days = facts.stale.get("events" if scope else sources[metric])
    freshness = Fraction(0)
    if value is not None and days is not None and not is_warming_up:
        freshness = fade(days, condition)
    return Reading(
        condition=condition,
        metric=metric,
        scope=scope,
        edges=_edges(rules, condition, age),
        value=value,
        is_warming_up=is_warming_up,
        freshness=freshness,
        profile=profile,
        nominal=Fraction(condition["weight"]),
    )


def _read_what(facts: Facts, rules: Rules, condition: Row) -> tuple[str, str | None]:
    """Metric and scope; of a condition with parts those of the best, the first if all miss."""
    if condition.get("kind") != "any_of":
        return condition["metric"], condition.get("scope")
    sign = -1 if condition["direction"] == "higher" else 1
    parts = sorted(
        (p for p in rules.parts if p["condition"] == condition["condition"]),
        key=lambda p: int(p["part"]),
    )
    told = [(facts.value(p["metric"], p["scope"]), p) for p in parts]
    known = [(value, p) for value, p in told if value is not None]
    best = min(known, key=lambda pair: sign * pair[0])[1] if known else parts[0]
    return best["metric"], best["scope"]


def _edges(rules: Rules, condition: Row, age: int) -> tuple[Fraction, Fraction]:
    """Those of the highest age that the account has reached."""
    reached = [
        row
        for row in rules.thresholds
        if row["condition"] == condition["condition"] and int(row["min_age_days"]) <= age
    ]
    holds = max(reached, key=lambda row: int(row["min_age_days"]), default=condition)
    return Fraction(holds["lower_edge"]), Fraction(holds["upper_edge"])


def fade(days: int, condition: Row) -> Fraction:
    """1 while an input is fresh, 0 once it is stale, and a straight line between."""
    fresh, stale = int(condition["fresh_days"]), int(condition["stale_days"])
    if days <= fresh:
        return Fraction(1)
    if days >= stale:
        return Fraction(0)
    return Fraction(decimal(Fraction(stale - days, stale - fresh)))


def weigh(readings: Sequence[Reading]) -> None:
    """Gives each reading its share of the score.

    A missing input's weight goes to the rest of its component, an empty component's to the others.
    The shares are rounded and sum to 1: what rounding leaves goes to the last condition by name.
    """
    nominal: dict[str, Fraction] = defaultdict(Fraction)
    live: dict[str, Fraction] = defaultdict(Fraction)
    for r in readings:
        r.weight = Fraction(0)
        nominal[r.condition["component"]] += r.nominal
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


def coverage_of(readings: Sequence[Reading]) -> Decimal:
    """The share of the weight that had data."""
    nominal = sum((r.nominal for r in readings), Fraction(0))
    live = sum((r.live_weight for r in readings), Fraction(0))
    return decimal(live / nominal) if nominal else Decimal(0).quantize(MILLIONTH)


def raw_of(readings: Sequence[Reading]) -> Fraction:
    """The sum of what the conditions give."""
    return sum((r.contribution for r in readings), Fraction(0))


def decimal(value: Fraction) -> Decimal:
    """To six digits, half away from zero."""
    scaled = abs(value) * 1_000_000
    whole = int(scaled + Fraction(1, 2))
    return (Decimal(whole) * MILLIONTH).quantize(MILLIONTH) * (1 if value >= 0 else -1)
