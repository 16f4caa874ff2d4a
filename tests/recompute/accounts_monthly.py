"""Accounts as they stood at the end of each month, in plain Python; no code of the product.

Source: the project's spec 20 (`dim_accounts_monthly`) and spec 00 ("What dates a row").
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, tzinfo
from typing import Any

from tests.recompute.calendars import first_instant, next_month

Row = Mapping[str, Any]

ALWAYS = datetime(1900, 1, 1, tzinfo=UTC)


def accounts_monthly(
    spine: Sequence[tuple[str, date]],
    versions: Sequence[Row],
    phases: Sequence[Row],
    team: Sequence[Row],
    as_of: datetime,
    zone: tzinfo = UTC,
) -> list[dict[str, Any]]:
    """The rows of the mart for each account and month.

    Args:
        spine: the accounts' months.
        versions: every row of an account that landed, with updated_at or None.
        phases: what is paid or in trial when, as the standard policy counts it.
        team: rows of crm.account_team, under the accounts that they count under.
        as_of: the as-of instant.
        zone: the reporting time zone.
    """
    rows = []
    for account, month in spine:
        end = min(first_instant(next_month(month), zone), as_of)
        version = version_at([v for v in versions if v["account_id"] == account], end)
        known = version.get("updated_at")
        rows.append(
            {
                "account_id": account,
                "month": month,
                "tier": version.get("tier"),
                "region": version.get("region"),
                "product_line": version.get("product_line"),
                "size_band": version.get("size_band"),
                "account_status": status_at([p for p in phases if p["account_id"] == account], end),
                "csm_id": csm_at([t for t in team if t["account_id"] == account], end),
                "is_history_assumed": end < as_of and (known is None or end <= known),
                "is_partial": first_instant(next_month(month), zone) > as_of,
            }
        )
    return rows


def version_at(versions: Sequence[Row], end: datetime) -> Row:
    """The last version that had been made before `end`; before all of them, the first."""
    ordered = sorted(versions, key=lambda row: row.get("updated_at") or ALWAYS)
    before = [row for row in ordered if (row.get("updated_at") or ALWAYS) < end]
    return before[-1] if before else ordered[0]


def status_at(phases: Sequence[Row], end: datetime) -> str:
    """What the subscriptions make of the account just before `end`."""
    begun = [p for p in phases if p["starts_at"] < end]
    words = {
        "trial" if p["phase"] == "trial" else p["state"]
        for p in begun
        if p["ends_at"] is None or p["ends_at"] >= end
    }
    if "past_due" in words:
        return "past_due"
    if words - {"trial"}:
        return "customer"
    if words:
        return "trial"
    return "churned" if any(p["phase"] == "paid" for p in begun) else "lead"


def csm_at(team: Sequence[Row], end: datetime) -> str | None:
    """Who was the csm just before `end`: the latest assigned of those who still were."""
    there = [
        t
        for t in team
        if t["role"] == "csm"
        and t["valid_from"] < end
        and (t["valid_to"] is None or t["valid_to"] >= end)
    ]
    latest = max((t["valid_from"] for t in there), default=None)
    return min((t["team_member_id"] for t in there if t["valid_from"] == latest), default=None)
