"""What each csm looks after by the week, in plain Python, from the daily marts.

Source: the project's spec 40 (`portfolio_weekly`); shares no code with the product.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

Row = Mapping[str, Any]

ONE_DAY = timedelta(days=1)
RANKS = {"poor": 1, "average": 2, "good": 3}
NOBODY = "(none)"


@dataclass(frozen=True, kw_only=True)
class Told:
    """The marts that a portfolio is made of, and the as-of day."""

    metrics: Sequence[Row]
    history: Sequence[Row]
    health: Sequence[Row]
    alerts: Sequence[Row]
    kpis: Sequence[Row]
    today: date

    def attributes(self, name: str, day: date) -> Row:
        """The account as it was at a day's end, or nothing."""
        found = [
            row
            for row in self.history
            if row["account_id"] == name
            and row["first_on"] <= day
            and (row["last_on"] is None or day <= row["last_on"])
        ]
        return max(found, key=lambda row: row["valid_from"], default={})

    def state(self, name: str, day: date) -> str:
        """The state that was shown for a day."""
        for row in self.health:
            if (row["account_id"], row["day"]) == (name, day):
                return str(row["state"])
        return "unknown"


def portfolio_weekly(told: Told) -> list[dict[str, Any]]:
    """The rows of the mart."""
    latest = told.today - ONE_DAY
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in told.metrics:
        day: date = row["day"]
        is_active = row["account_status"] in ("customer", "past_due")
        if is_active and (day.isoweekday() == 7 or day == latest):
            known = told.attributes(row["account_id"], day)
            place = [
                (known.get(name) or "").strip() or NOBODY for name in ("csm_id", "tier", "region")
            ]
            groups.setdefault((day - (day.isoweekday() - 1) * ONE_DAY, *place), []).append(row)
    return [
        dict(zip(("week", "csm_id", "tier", "region"), key, strict=True))
        | _counted(told, rows, key[0], latest)
        for key, rows in groups.items()
    ]


def _counted(told: Told, rows: Sequence[Row], week: date, latest: date) -> dict[str, Any]:
    day = max(row["day"] for row in rows)
    states = [told.state(row["account_id"], day) for row in rows]
    steps = [_step(told, row["account_id"], day) for row in rows]
    names = {row["account_id"] for row in rows}
    alerts = [alert for alert in told.alerts if alert["account_id"] in names]
    return {
        "ends_on": day,
        "accounts": len(rows),
        "arr": sum((row["arr"] or Decimal(0) for row in rows), Decimal("0.00")),
        **{f"{state}_accounts": states.count(state) for state in (*RANKS, "unknown")},
        "better_accounts": sum(step > 0 for step in steps),
        "worse_accounts": sum(step < 0 for step in steps),
        **_renewals(told, rows, is_latest=day == latest),
        "alerts_opened": sum(week <= alert["opened_on"] <= day for alert in alerts),
        "alerts_open_over_7_days": sum(
            (day - alert["opened_on"]).days > 7
            and (alert["resolved_on"] is None or alert["resolved_on"] > day)
            for alert in alerts
        ),
        "overdue_tasks": sum(row["overdue_tasks"] or 0 for row in rows),
        "untouched_accounts": sum(_untouched_days(row) > 45 for row in rows),
        "is_latest_week": day == latest,
        "is_partial": day < week + 6 * ONE_DAY,
    }


def _step(told: Told, name: str, day: date) -> int:
    now, before = (RANKS.get(told.state(name, at)) for at in (day, day - 7 * ONE_DAY))
    return now - before if now is not None and before is not None else 0


def _renewals(told: Told, rows: Sequence[Row], *, is_latest: bool) -> dict[str, Decimal]:
    bands = {row["account_id"]: row["renewal_risk_band"] for row in told.kpis}
    found = {
        f"renewals_{days}d_{band}_arr": Decimal("0.00")
        for days in (30, 60, 90)
        for band in ("high", "medium", "low", "unrated")
    }
    for row in rows:
        band = (bands.get(row["account_id"]) if is_latest else None) or "unrated"
        for days in (30, 60, 90):
            if row["days_to_renewal"] is not None and row["days_to_renewal"] <= days:
                found[f"renewals_{days}d_{band}_arr"] += row["arr"] or 0
    return found


def _untouched_days(row: Row) -> int:
    if row["days_since_last_touch"] is not None:
        return int(row["days_since_last_touch"])
    return 0 if row["interactions_30d"] is None else int(row["tenure_days"])
