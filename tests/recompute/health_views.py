"""What is read off the daily health: by week, beside peers, and in words; in plain Python.

Source: the project's spec 50 (`account_health_weekly`, `health_peers_daily`, "Reasons") and 30
("Peers"); shares no code with the product.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.recompute.kpi_world import Row, World
from tests.recompute.kpis import PAYING, decimal, segment

ONE_DAY = timedelta(days=1)
RANKS = {"poor": 1, "average": 2, "good": 3}
FEWEST = 6
# Rank, kind, name, sentence and points at stake.
Reason = tuple[int, str, str, str, Fraction]
SEEDS = ("health_conditions", "health_condition_parts", "health_caps")


def account_health_weekly(world: World) -> list[dict[str, Any]]:
    """The health of each week's last day, the worst of its days, and what has changed."""
    weeks: dict[str, dict[date, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in world.rows("health.fct_account_health_daily"):
        weeks[row["account_id"]][_week(row["day"])].append(row)
    rows = []
    for account, own in weeks.items():
        lasts = {week: max(days, key=lambda row: row["day"]) for week, days in own.items()}
        for week, last in lasts.items():
            before = lasts.get(week - 7 * ONE_DAY)
            worst = min(own[week], key=lambda row: RANKS.get(row["state"], 9))
            rows.append(
                {
                    "account_id": account,
                    "week": week,
                    "last_day": last["day"],
                    "profile": last["profile"],
                    "score": last["score"],
                    "state": last["state"],
                    "unknown_reason": last["unknown_reason"],
                    "worst_state": worst["state"] if worst["state"] in RANKS else "unknown",
                    "reasons": _named_reasons(world, last),
                    "contract_value_change": _contract_change(world, account, week),
                    "is_partial": last["day"] < week + 6 * ONE_DAY,
                    **_since(last, before),
                }
            )
    return rows


def _week(day: date) -> date:
    return day - (day.isoweekday() - 1) * ONE_DAY


def _since(last: Row, before: Row | None) -> dict[str, Any]:
    """What changed since the week before, where there was one."""
    if before is None:
        names = ("state_before", "score_change", "profile_before")
        return {**dict.fromkeys(names), "is_profile_changed": False}
    scores = (before["score"], last["score"])
    changed = before["profile"] != last["profile"]
    return {
        "state_before": before["state"],
        "score_change": None if None in scores else _exact(scores[1]) - _exact(scores[0]),
        "is_profile_changed": changed,
        "profile_before": before["profile"] if changed else None,
    }


def _exact(score: Decimal) -> Decimal:
    return decimal(Fraction(score))


def _named_reasons(world: World, last: Row) -> str | None:
    """An override, too little data, a lost input and a cap are reasons, too."""
    why = last["unknown_reason"]
    before = ["override"] if last["override_state"] else []
    before += [why] if why not in (None, "override") else []
    before += ["lost_inputs"] if why is None and last["lost_inputs"] else []
    before += [last["cap"]] if why is None and _takes_points(last) else []
    named = sorted(row["condition"] for row in _deciding(world, last))
    return ", ".join(before + named) or None


def _takes_points(health: Row) -> bool:
    """Whether a cap made the score lower."""
    return health["cap"] is not None and bool(health["cap_score"] < health["raw_score"])


def _deciding(world: World, health: Row) -> Iterator[Row]:
    """The conditions that a day's state is due to."""
    for row in world.own("health.fct_health_conditions_daily", health["account_id"]):
        if row["day"] == health["day"] and row["influences_state"]:
            yield row


def _contract_change(world: World, account: str, week: date) -> Decimal:
    """12 x what the MRR moved, rates left out."""
    moved = [
        row["amount"]
        for row in world.own("revenue.fct_mrr_movements", account)
        if row["policy"] == "standard"
        and row["movement"] != "fx"
        and _week(row["moved_on"]) == week
    ]
    return 12 * sum(moved, Decimal("0.00"))


def health_peers_daily(world: World, seeds: Mapping[str, Sequence[Row]]) -> list[dict[str, Any]]:
    """What the active accounts of a profile, or of a segment, have on each day."""
    read = {row["metric"] for name in SEEDS for row in seeds[name] if row["scope"] is None}
    health = {
        (row["account_id"], row["day"]): row
        for row in world.rows("health.fct_account_health_daily")
    }
    groups: dict[tuple[Any, ...], list[Fraction]] = defaultdict(list)
    for row in world.rows("accounts.account_metrics_daily"):
        if row["account_status"] not in PAYING:
            continue
        judged = health.get((row["account_id"], row["day"]))
        values = {name: row[name] for name in read} | {"health_score": (judged or {}).get("score")}
        for benchmark, group in _groups(world, row, judged):
            for metric, value in values.items():
                if value is not None:
                    groups[benchmark, group, metric, row["day"]].append(Fraction(value))
    return [
        dict(zip(("benchmark", "group_name", "metric", "day"), key, strict=True))
        | _spread(sorted(values))
        for key, values in groups.items()
        if len(values) >= FEWEST
    ]


def _groups(world: World, row: Row, judged: Row | None) -> Iterator[tuple[str, str]]:
    if judged is not None:
        yield "profile", judged["profile"]
    for company in world.own("intermediate.int_companies_known", row["account_id"]):
        # Known at the day's end.
        end = row["day"] + ONE_DAY
        if company["known_from"].date() <= end < company["known_until"].date():
            yield "segment", f"{segment(company['tier'])} / {segment(company['size_band'])}"


def _spread(values: Sequence[Fraction]) -> dict[str, Any]:
    names = ("min_value", "p25_value", "median_value", "p75_value", "max_value")
    return {"accounts": len(values)} | {
        name: _quantile(values, Fraction(quarter, 4)) for quarter, name in enumerate(names)
    }


def _quantile(values: Sequence[Fraction], share: Fraction) -> Fraction:
    """Between two neighbours in proportion."""
    place = share * (len(values) - 1)
    below = int(place)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (place - below)


def health_reasons(
    world: World, seeds: Mapping[str, Sequence[Row]], day: date, units: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Why the health of a day is what it is, the weightiest reason first."""
    rows = []
    for health in world.rows("health.fct_account_health_daily"):
        if health["day"] != day:
            continue
        found = sorted(_reasons(world, seeds, health, units), key=lambda r: (r[0], -r[4], r[2]))
        rows += [
            {
                "account_id": health["account_id"],
                "position": position,
                "kind": kind,
                "name": name,
                "sentence": sentence,
                "points_at_stake": decimal(points),
            }
            for position, (_, kind, name, sentence, points) in enumerate(found, start=1)
        ]
    return rows


def _reasons(
    world: World, seeds: Mapping[str, Sequence[Row]], health: Row, units: Mapping[str, str]
) -> Iterator[Reason]:
    why, nothing = health["unknown_reason"], Fraction(0)
    if health["override_state"]:
        said = f"set to {health['override_state']} until {health['override_expires_on']}"
        yield 1, "override", "override", said, nothing
    if why not in (None, "override"):
        faded = health["faded_inputs"]
        said = f"{why}: {round(health['coverage'] * 100)} % of the weight has data"
        yield 2, "coverage", why, said + (f"; missing or stale: {faded}" if faded else ""), nothing
    if health["lost_inputs"] and why is None:
        said = f"without {health['lost_inputs']}, which it had"
        held = f": held at {health['state']}, the last complete state" if health["is_held"] else ""
        yield 3, "missing", "lost_inputs", said + held, nothing
    if why is None:
        yield from _cap(world, seeds, health, units)
    yield from _conditions(world, seeds, health, units)


def _conditions(
    world: World, seeds: Mapping[str, Sequence[Row]], health: Row, units: Mapping[str, str]
) -> Iterator[Reason]:
    """What full marks would add, or, of a good day, what was won."""
    for row in _deciding(world, health):
        (sentence,) = (
            s["sentence"] for s in seeds["health_conditions"] if s["condition"] == row["condition"]
        )
        for mark, name in (
            ("{value}", "metric_value"), ("{lower}", "lower_edge"), ("{upper}", "upper_edge"),
        ):  # fmt: skip
            sentence = sentence.replace(mark, _worded(row[name], units.get(row["metric"], "")))
        won, full = Fraction(row["contribution"]), Fraction(row["effective_weight"]) * 100
        stake = won if health["state_before_override"] == "good" else full - won
        yield 5, "condition", row["condition"], sentence, stake


def _cap(
    world: World, seeds: Mapping[str, Sequence[Row]], health: Row, units: Mapping[str, str]
) -> Iterator[Reason]:
    """A cap that takes points, with the value that it read."""
    if not _takes_points(health):
        return
    cap = next(row for row in seeds["health_caps"] if row["cap"] == health["cap"])
    for row in world.rows("accounts.account_metrics_daily"):
        is_of_day = (row["account_id"], row["day"]) == (health["account_id"], health["day"])
        if is_of_day and row[cap["metric"]] is not None:
            value = _worded(row[cap["metric"]], units[cap["metric"]])
            said = cap["sentence"].replace("{value}", value)
            said = said.replace("{score}", _worded(cap["score"], ""))
            yield (
                4,
                "cap",
                cap["cap"],
                said,
                Fraction(health["raw_score"]) - Fraction(health["cap_score"]),
            )


def _worded(value: Any, unit: str) -> str:
    if unit == "ratio":
        return f"{math.floor(Fraction(value) * 100 + Fraction(1, 2))} %"
    return f"{float(value):.0f}" if abs(value) >= 100_000 else f"{float(value):g}"
