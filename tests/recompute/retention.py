"""Retention, its drivers and cohorts, in plain Python; shares no code with the product.

Source: the project's spec 20 ("Definitions"). The accounts' months and movements are what is given.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.recompute.bridges import BY, ZERO, segment_of
from tests.recompute.calendars import first_instant, next_month, shifted_month

Row = Mapping[str, Any]
# Month, window, attribute and segment.
Place = tuple[date, int, str, str]

WINDOWS = (1, 3, 12)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the marts of retention are made from, policy standard."""

    monthly: Sequence[Row]
    movements: Sequence[Row]
    amounts: Sequence[Row]
    dim: Sequence[Row]
    # Reporting currency per unit, by currency and month.
    rates: Mapping[tuple[str, date], Decimal]
    as_of: datetime
    currency: str = "USD"
    zone: tzinfo = UTC


def followed(facts: Facts) -> list[dict[str, Any]]:
    """Every account that paid at the start of a window: what it paid then and pays at the end."""
    by_month = {(row["account_id"], row["month"]): row for row in facts.monthly}
    rows = []
    for start in facts.monthly:
        for window in WINDOWS if start["starting_mrr"] > 0 else ():
            month = shifted_month(start["month"], window - 1)
            end = by_month.get((start["account_id"], month))
            if end is not None:
                rated = end_at_rate_of(start["month"], end, facts)
                rows.append(_followed(start, end, window, rated, facts))
    return rows


def _followed(start: Row, end: Row, window: int, ending: Decimal, facts: Facts) -> dict[str, Any]:
    return {
        "account_id": start["account_id"],
        "month": end["month"],
        "window": window,
        "at": _stood_at(start["account_id"], start["month"], facts),
        "start": start["starting_mrr"],
        "end": ending,
        "with_fx": end["ending_mrr"],
    }


def _stood_at(account: str, first: date, facts: Facts) -> Row | None:
    """The account as it was at the start of a window; before its first month, as in that one."""
    own = sorted((r for r in facts.dim if r["account_id"] == account), key=lambda r: r["month"])
    before = [row for row in own if row["month"] < first]
    candidates = before[-1:] or own[:1]
    return candidates[0] if candidates else None


def end_at_rate_of(first: date, end: Row, facts: Facts) -> Decimal:
    """The account's MRR at the month's end, each item at the rate at which the start stands."""
    instant = min(first_instant(next_month(end["month"]), facts.zone), facts.as_of)
    rated_in = shifted_month(first, -1)
    total: Decimal = end["ending_mrr"]
    for row in facts.amounts:
        if row["account_id"] != end["account_id"] or row["currency"] == facts.currency:
            continue
        rate = facts.rates.get((row["currency"], rated_in))
        if rate is not None and holds_before(row, instant):
            total += at_rate(row, rate) - row["amount"]
    return total


def at_rate(row: Row, rate: Decimal) -> Decimal:
    """What an item pays for a month, at a rate, rounded half-even."""
    exact = Fraction(row["net_picos"], 10**12 * row["per_months"]) * Fraction(rate)
    return Decimal(round(exact * 100)) / 100 + ZERO


def holds_before(row: Row, instant: datetime) -> bool:
    """Whether the stretch is in force in the last moment before the instant."""
    begun: bool = row["starts_at"] < instant
    return begun and (row["ends_at"] is None or row["ends_at"] >= instant)


def retention(facts: Facts) -> list[dict[str, Any]]:
    """The rows of `revenue_retention_monthly`."""
    starters: dict[Place, list[Row]] = {}
    for row in followed(facts):
        for by in ("all", *BY):
            key = (row["month"], row["window"], by, segment_of(row["at"], by))
            starters.setdefault(key, []).append(row)
    moved: dict[Place, list[Row]] = {}
    for month, window, at, movement in _windowed(facts):
        for by in ("all", *BY):
            moved.setdefault((month, window, by, segment_of(at, by)), []).append(movement)
    keys = starters.keys() | moved.keys()
    return [_retention_row(key, starters.get(key, []), moved.get(key, []), facts) for key in keys]


def _windowed(facts: Facts) -> Iterator[tuple[date, int, Row | None, Row]]:
    """Each movement in each window that holds it: month, length, the account then, the movement."""
    first = min((row["month"] for row in facts.monthly), default=date.max)
    last = max((row["month"] for row in facts.monthly), default=date.min)
    for movement in facts.movements:
        for window in WINDOWS if movement["movement"] != "fx" else ():
            for later in range(window):
                month = shifted_month(movement["month"], later)
                begins = shifted_month(month, 1 - window)
                if first <= begins and month <= last:
                    yield month, window, _stood_at(movement["account_id"], begins, facts), movement


def _retention_row(
    key: Place, starters: Sequence[Row], moved: Sequence[Row], facts: Facts
) -> dict[str, Any]:
    start = sum((row["start"] for row in starters), ZERO)
    retained = sum((min(row["start"], row["end"]) for row in starters), ZERO)
    end = sum((row["end"] for row in starters), ZERO)
    with_fx = sum((row["with_fx"] for row in starters), ZERO)
    gone = sum(row["with_fx"] == 0 for row in starters)
    amounts = {
        name: sum((m["amount"] for m in moved if m["movement"] == name), ZERO)
        for name in ("reactivation", "expansion", "contraction", "churn")
    }
    gross = amounts["churn"] + amounts["contraction"]
    net = gross - amounts["expansion"] - amounts["reactivation"]
    new = sum(m["movement"] == "new" for m in moved)
    churns = sum(m["movement"] == "churn" for m in moved)
    return {
        "month": key[0],
        "window_months": key[1],
        "segment_by": key[2],
        "segment": key[3],
        "starting_accounts": len(starters),
        "retained_accounts": len(starters) - gone,
        "churned_accounts": gone,
        "stripe_churned_subscribers": churns,
        "stripe_subscribers": len(starters) + new,
        "starting_mrr": start,
        "ending_mrr": end,
        "retained_mrr": retained,
        "ending_mrr_with_fx": with_fx,
        **{f"{name}_mrr": amount for name, amount in amounts.items()},
        "gross_churned_mrr": gross,
        "net_churned_mrr": net,
        "gross_revenue_retention_ratio": ratio(retained, start),
        "net_revenue_retention_ratio": ratio(end, start),
        "net_revenue_retention_with_fx_ratio": ratio(with_fx, start),
        "gross_mrr_churn_ratio": ratio(gross, start),
        "net_mrr_churn_ratio": ratio(net, start),
        "logo_churn_ratio": ratio(gone, len(starters)),
        "stripe_logo_churn_ratio": ratio(churns, len(starters) + new),
        "is_headline": key[1] == 12,
        "is_partial": first_instant(next_month(key[0]), facts.zone) > facts.as_of,
    }


def ratio(part: Decimal | int, whole: Decimal | int) -> Fraction | None:
    """Exactly, and undefined over nothing."""
    return Fraction(part) / Fraction(whole) if whole else None


def drivers(facts: Facts) -> list[dict[str, Any]]:
    """The rows of `revenue_retention_drivers`."""
    windows: dict[tuple[date, int], list[Row]] = {}
    for row in followed(facts):
        windows.setdefault((row["month"], row["window"]), []).append(row)
    rows: list[dict[str, Any]] = []
    for (month, window), now in windows.items():
        then = windows.get((shifted_month(month, -1), window), [])
        places = {_place(row) for row in (*now, *then) if row["end"] != row["start"]}
        rows.extend(_driver(month, window, place, now, then) for place in places)
    return rows


def _place(row: Row) -> tuple[str, str, str]:
    return segment_of(row["at"], "tier"), segment_of(row["at"], "size_band"), row["account_id"]


def _driver(
    month: date,
    window: int,
    place: tuple[str, str, str],
    now: Sequence[Row],
    then: Sequence[Row],
) -> dict[str, Any]:
    gain, last_gain = _gain(now, place), _gain(then, place)
    total, last_total = _start(now), _start(then)
    part = Fraction(_start([row for row in now if _place(row)[:2] == place[:2]]))
    last_part = Fraction(_start([row for row in then if _place(row)[:2] == place[:2]]))
    contribution, last = ratio(gain, total), ratio(last_gain, last_total)
    rate = mix = None
    if last is not None and contribution is not None:
        rate = Fraction(0)
        if part and last_part:
            rate = contribution - Fraction(last_gain) / last_part * part / Fraction(total)
        mix = contribution - last - rate
    return {
        "month": month,
        "window_months": window,
        "tier": place[0],
        "size_band": place[1],
        "account_id": place[2],
        "contribution": contribution,
        "last_contribution": last,
        "rate_effect": rate,
        "mix_effect": mix,
    }


def _gain(rows: Sequence[Row], place: tuple[str, str, str]) -> Decimal:
    return sum((row["end"] - row["start"] for row in rows if _place(row) == place), ZERO)


def _start(rows: Sequence[Row]) -> Decimal:
    return sum((row["start"] for row in rows), ZERO)


def cohorts(facts: Facts) -> list[dict[str, Any]]:
    """The rows of `revenue_cohorts`."""
    came = {m["account_id"]: m for m in facts.movements if m["movement"] == "new"}
    groups: dict[tuple[date, date], list[tuple[Decimal, Decimal]]] = {}
    for row in facts.monthly:
        new = came.get(row["account_id"])
        if new is not None and new["month"] <= row["month"]:
            pair = (new["amount"], row["ending_mrr"])
            groups.setdefault((new["month"], row["month"]), []).append(pair)
    return [_cohort(cohort, month, pairs) for (cohort, month), pairs in groups.items()]


def _cohort(cohort: date, month: date, pairs: Sequence[tuple[Decimal, Decimal]]) -> dict[str, Any]:
    base = sum((new for new, _ in pairs), ZERO)
    left = sum((mrr for _, mrr in pairs), ZERO)
    kept = sum((min(pair) for pair in pairs), ZERO)
    paying = sum(mrr > 0 for _, mrr in pairs)
    return {
        "cohort_month": cohort,
        "age_months": (month.year - cohort.year) * 12 + month.month - cohort.month,
        "month": month,
        "cohort_accounts": len(pairs),
        "paying_accounts": paying,
        "cohort_mrr": base,
        "mrr": left,
        "retained_mrr": kept,
        "net_retention_ratio": ratio(left, base),
        "gross_retention_ratio": ratio(kept, base),
        "logo_retention_ratio": ratio(paying, len(pairs)),
    }
