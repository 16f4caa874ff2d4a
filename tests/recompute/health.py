"""Health once more, in plain Python, from the metrics' rows; shares no code with the product.

Source of every rule: the project's spec 50 ("Profiles and conditions", "Reasons", "Slope",
`fct_health_changes`) and spec 00 ("Numbers").
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

from tests.recompute.health_rules import (
    Facts,
    Reading,
    Row,
    Rules,
    coverage_of,
    decimal,
    is_on_side,
    profile_of,
    raw_of,
    read_all,
    state_of,
    weigh,
)

ONE_DAY = timedelta(days=1)
RANKS = {"poor": 0, "average": 1, "good": 2}


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """The health marts as lists of rows."""

    daily: list[dict[str, Any]] = field(default_factory=list)
    conditions: list[dict[str, Any]] = field(default_factory=list)
    components: list[dict[str, Any]] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One account day, judged."""

    facts: Facts
    rules: Rules
    profile: Row
    readings: Sequence[Reading]
    row: dict[str, Any]
    cap: Fraction | None
    override: Fraction | None


def judge(
    facts: Sequence[Facts],
    rules_on: Callable[[date], Rules],
    sources: Mapping[str, str],
    overrides: Callable[[str, date], Row | None] = lambda _account, _day: None,
) -> Judgement:
    """The rows of the health marts.

    Args:
        facts: what was known at each account day's end; no row for a lead's.
        rules_on: the configuration in force on a day.
        sources: the source of each metric.
        overrides: the override known and in force for an account on a day.
    """
    found = Judgement()
    by_account: dict[str, list[Judged]] = defaultdict(list)
    for one in sorted(facts, key=lambda f: (f.account_id, f.day)):
        judged = _judge_day(one, rules_on(one.day), sources, overrides(one.account_id, one.day))
        by_account[one.account_id].append(judged)
    for days in by_account.values():
        _hold(days)
        _add_slopes(days)
        found.changes.extend(_changes(days, sources))
        for judged in days:
            found.daily.append(judged.row)
            found.conditions.extend(_condition_rows(judged))
            found.components.extend(_component_rows(judged))
    return found


def _judge_day(facts: Facts, rules: Rules, sources: Mapping[str, str], told: Row | None) -> Judged:
    profile = profile_of(facts, rules)
    readings = read_all(facts, rules, profile, sources, facts.age)
    raw, coverage = raw_of(readings), coverage_of(readings)
    is_known = coverage >= Decimal(profile["minimum_coverage"])
    cap, cap_name = _cap(facts, rules)
    capped = raw if cap is None else min(raw, cap)
    own = _own_state(readings, capped, profile) if is_known else "unknown"
    row = {
        "account_id": facts.account_id,
        "day": facts.day,
        "profile": profile["profile"],
        "score": decimal(capped) if is_known else None,
        "state": own,
        "unknown_reason": None if is_known else _unknown_reason(readings, coverage),
        "coverage": coverage,
        "raw_score": decimal(raw),
        "cap": cap_name,
        "cap_score": None if cap is None else decimal(cap),
        "capped_score": decimal(capped),
        "override_state": None,
        "state_before_override": own,
    }
    override = None
    if told is not None:
        override = None if told["score"] is None else Fraction(told["score"])
        if is_known:
            _apply(row, told["state"], override, profile)
    return Judged(
        facts=facts,
        rules=rules,
        profile=profile,
        readings=readings,
        row=row,
        cap=cap,
        override=override,
    )


def _apply(row: dict[str, Any], state: str | None, score: Fraction | None, profile: Row) -> None:
    if score is not None:
        row["score"] = decimal(score)
        row["override_state"] = state_of(score, profile)
    if state is not None:
        row["override_state"] = state
    row["state"] = row["override_state"]
    if row["state"] == "unknown":
        row["score"], row["unknown_reason"] = None, "override"


def _cap(facts: Facts, rules: Rules) -> tuple[Fraction | None, str | None]:
    """The lowest of the caps that hold, the first by name of those that are as low."""
    hold = []
    for cap in rules.caps:
        scope = cap.get("scope")
        value = (
            facts.scoped.get((cap["metric"], scope)) if scope else facts.numbers.get(cap["metric"])
        )
        if is_on_side(value, cap["operator"], cap["value"]):
            hold.append((Fraction(cap["score"]), cap["cap"]))
    return min(hold) if hold else (None, None)


def _own_state(readings: Sequence[Reading], capped: Fraction, profile: Row) -> str:
    if profile.get("judged_by") != "rule":
        return state_of(capped, profile)
    bands = {r.band for r in readings if r.weight > 0}
    if "poor" in bands:
        return "poor"
    return "average" if "average" in bands else "good"


def _unknown_reason(readings: Sequence[Reading], coverage: Decimal) -> str:
    if any(r.is_warming_up and r.nominal for r in readings):
        return "warming up"
    return "no data" if coverage == 0 else "low coverage"


def _hold(days: Sequence[Judged]) -> None:
    """While an input of the last complete score is missing or stale, no state is better."""
    ever: dict[tuple[str, str], set[str]] = defaultdict(set)
    last: dict[tuple[str, str], str] = {}
    for judged in days:
        row = judged.row
        key = (row["profile"], judged.rules.version)
        weighing = {r.name for r in judged.readings if r.nominal}
        fresh = {r.name for r in judged.readings if r.freshness == 1}
        lost = sorted(ever[key] & weighing - fresh)
        own = row["state_before_override"]
        row["lost_inputs"] = ", ".join(lost) or None
        row["last_complete_state"] = last.get(key)
        row["is_held"] = bool(
            lost
            and own != "unknown"
            and row["override_state"] is None
            and key in last
            and RANKS[own] > RANKS[last[key]]
        )
        if row["is_held"]:
            row["state"] = last[key]
        row["is_complete"] = own != "unknown" and not lost
        if row["is_complete"]:
            last[key] = own
        ever[key] |= fresh


def _reasons(judged: Judged) -> set[str]:
    """The conditions that the state, as the profile alone has it, is due to."""
    state = judged.row["state_before_override"]
    weighing = [r for r in judged.readings if r.weight > 0]
    if state == "unknown":
        return set()
    if judged.profile.get("judged_by") == "rule":
        bands = ("average", "poor") if state == "average" else (state,)
        return {r.name for r in weighing if r.band in bands}
    if state == "good":
        won = [r for r in weighing if r.contribution > 0]
        return _three(won, {r.name: r.contribution for r in won})
    edge = Fraction(judged.profile["good_from" if state == "average" else "average_from"])
    lost = [r for r in weighing if r.points_lost > 0]
    raw = raw_of(judged.readings)
    cap = Fraction(100) if judged.cap is None else judged.cap
    decisive = {r.name for r in lost if min(raw + r.points_lost, cap) >= edge}
    return decisive or _three(lost, {r.name: r.points_lost for r in lost})


def _three(readings: Sequence[Reading], points: Mapping[str, Fraction]) -> set[str]:
    ordered = sorted(readings, key=lambda r: (-points[r.name], r.name))
    return {r.name for r in ordered[:3]}


def _condition_rows(judged: Judged) -> Iterator[dict[str, Any]]:
    reasons = _reasons(judged)
    for r in judged.readings:
        yield {
            "account_id": judged.facts.account_id,
            "day": judged.facts.day,
            "condition": r.name,
            "profile": judged.profile["profile"],
            "component": r.condition["component"],
            "metric": r.metric,
            "scope": r.scope,
            "metric_value": None if r.value is None else decimal(r.value),
            "lower_edge": decimal(r.edges[0]),
            "upper_edge": decimal(r.edges[1]),
            "band": r.band,
            "score": None if r.score is None else decimal(r.score),
            "freshness_ratio": decimal(r.freshness),
            "effective_weight": decimal(r.weight),
            "contribution": decimal(r.contribution),
            "influences_state": r.name in reasons,
            "is_warming_up": r.is_warming_up,
        }


def _component_rows(judged: Judged) -> Iterator[dict[str, Any]]:
    by_component: dict[str, list[Reading]] = defaultdict(list)
    for r in judged.readings:
        by_component[r.condition["component"]].append(r)
    for component, own in by_component.items():
        weight = sum((r.weight for r in own), Fraction(0))
        yield {
            "account_id": judged.facts.account_id,
            "day": judged.facts.day,
            "component": component,
            "score": decimal(raw_of(own) / weight) if weight else None,
            "weight": decimal(weight),
            "contribution": decimal(raw_of(own)),
            "coverage": coverage_of(own) if any(r.nominal for r in own) else None,
            "condition_count": len(own),
        }


def _changes(days: Sequence[Judged], sources: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for before, now in pairwise(days):
        if now.facts.day - before.facts.day == ONE_DAY:
            yield _change(before, now, sources)


def _change(before: Judged, now: Judged, sources: Mapping[str, str]) -> dict[str, Any]:
    """The change of the score, one thing after the other."""
    ours = {"account_id": now.facts.account_id, "day": now.facts.day}
    old, new = before.row["score"], now.row["score"]
    names = ("profile", "weights", "thresholds", "missing", "inputs", "cap", "override")
    if old is None or new is None:
        return ours | {"change": None} | {f"from_{name}": None for name in names}
    anew = read_all(before.facts, now.rules, now.profile, sources, now.facts.age)
    raws = [raw_of(before.readings)] * 3
    if before.profile["profile"] != now.profile["profile"]:
        raws = [raw_of(anew)] * 3
    else:
        raws[1:] = [_raw_by_weights(before.readings, now.rules), raw_of(anew)]
    raws += [_raw_of_values(anew, now.readings), raw_of(now.readings)]
    scores = [Fraction(old), *(_shown(raw, before.cap, before.override) for raw in raws)]
    scores += [_shown(raws[-1], now.cap, before.override), Fraction(new)]
    parts = [decimal(after - first) for first, after in pairwise(scores)]
    split = {f"from_{name}": part for name, part in zip(names, parts, strict=True)}
    return ours | {"change": new - old} | split


def _raw_by_weights(readings: Sequence[Reading], rules: Rules) -> Fraction:
    weights = {(c["condition"], c["profile"]): Fraction(c["weight"]) for c in rules.conditions}
    weighed = [
        replace(r, nominal=weights.get((r.name, r.profile["profile"]), r.nominal)) for r in readings
    ]
    weigh(weighed)
    return raw_of(weighed)


def _raw_of_values(anew: Sequence[Reading], now: Sequence[Reading]) -> Fraction:
    """The day's weights on the values of the day before, on the day's own where there was none."""
    told = {r.name: r.score for r in anew}
    total = Fraction(0)
    for r in now:
        score = r.score if told[r.name] is None else told[r.name]
        total += Fraction(decimal(r.weight * (score or 0)))
    return total


def _shown(raw: Fraction, cap: Fraction | None, override: Fraction | None) -> Fraction:
    if override is not None:
        return override
    return raw if cap is None else min(raw, cap)


def _add_slopes(days: Sequence[Judged]) -> None:
    """Least squares over the days with a score among the last 28, since the rules last changed."""
    points: list[tuple[int, Fraction]] = []
    key = None
    for judged in days:
        row = judged.row
        now = (row["profile"], judged.rules.version)
        points = points if now == key else []
        key = now
        ordinal = row["day"].toordinal()
        if row["score"] is not None:
            points.append((ordinal, Fraction(row["score"])))
        slope = _slope([point for point in points if point[0] > ordinal - 28])
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
