"""Everything that happened to accounts in one stream, in plain Python, from the marts about each.

Source: the project's spec 40 (`account_timeline`); shares no code with the product.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Told:
    """The marts that a timeline is made of, days in UTC, and the as-of instant."""

    accounts: Sequence[Row]
    interactions: Sequence[Row]
    tickets: Sequence[Row]
    answers: Sequence[Row]
    invoices: Sequence[Row]
    movements: Sequence[Row]
    alert_events: Sequence[Row]
    health: Sequence[Row]
    as_of: datetime


def account_timeline(told: Told) -> list[dict[str, Any]]:
    """A row per thing that happened before the as-of instant, with its day."""
    kinds = (_talks, _tickets, _answers, _invoices, _plans, _alerts, _health)
    entries = (entry for kind in kinds for entry in kind(told))
    counted = {row["account_id"] for row in told.accounts if not row["is_test"]}
    return [
        {**entry, "occurred_on": entry["occurred_at"].astimezone(UTC).date()}
        for entry in entries
        if entry["account_id"] in counted
        and entry["occurred_at"] is not None
        and entry["occurred_at"] < told.as_of
    ]


def _entry(row: Row, entry_id: str, at: datetime | None, **words: Any) -> dict[str, Any]:
    return {
        "account_id": row["account_id"],
        "entry_id": entry_id,
        "sub_type": None,
        "subject": None,
        "said": None,
        **words,
        "occurred_at": at,
    }


def _talks(told: Told) -> Iterator[dict[str, Any]]:
    for row in told.interactions:
        name = row["interaction_id"]
        yield _entry(
            row,
            f"interaction|{name}",
            row["occurred_at"],
            category=row["interaction_type"],
            sub_type=row["sub_type"],
            subject=row["subject"],
            source_id=name,
        )


def _tickets(told: Told) -> Iterator[dict[str, Any]]:
    """Each time that it was open has a beginning and, if it is over, an end."""
    for row in told.tickets:
        if row["left_out_as"] is not None:
            continue
        name = row["ticket_id"]
        for number, turn in enumerate(json.loads(row["open_intervals"]), start=1):
            words = {"category": "ticket", "subject": row["subject"], "source_id": name}
            opened = "opened" if number == 1 else "reopened"
            begun, over = f"ticket|{name}|opened|{number}", f"ticket|{name}|solved|{number}"
            yield _entry(row, begun, _instant(turn["opened_at"]), sub_type=opened, **words)
            yield _entry(row, over, _instant(turn["closed_at"]), sub_type="solved", **words)


def _answers(told: Told) -> Iterator[dict[str, Any]]:
    for row in told.answers:
        name = row["response_id"]
        yield _entry(
            row,
            f"nps|{name}",
            row["submitted_at"],
            category="nps",
            sub_type=row["class"],
            said=f"score {row['score']}",
            source_id=name,
        )


def _invoices(told: Told) -> Iterator[dict[str, Any]]:
    for row in told.invoices:
        name = row["invoice_id"]
        for what, amount in (("issued", "total"), ("paid", "paid"), ("voided", "total")):
            words = (row["number"], row[f"{amount}_amount_original"], row["currency"])
            yield _entry(
                row,
                f"invoice|{name}|{what}",
                row[f"{what}_at"],
                category="invoice",
                sub_type=what,
                said=" ".join(str(word) for word in words if word is not None),
                source_id=name,
            )


def _plans(told: Told) -> Iterator[dict[str, Any]]:
    """What the headline policy counts; a new rate is none of the account's."""
    for row in told.movements:
        if row["policy"] != "standard" or row["movement"] == "fx":
            continue
        plans = [plan for plan in (row["plan_before"], row["plan_after"]) if plan is not None]
        change = " to ".join(plans) + ": " if row["is_plan_change"] else ""
        instant = round(row["moved_at"].timestamp() * 1_000_000)
        yield _entry(
            row,
            f"plan|{instant}|{row['movement']}",
            row["moved_at"],
            category="plan",
            sub_type=row["movement"],
            said=f"{change}MRR {row['mrr_before']} to {row['mrr_after']}",
            source_id=row["subscription_id"],
        )


def _alerts(told: Told) -> Iterator[dict[str, Any]]:
    for row in told.alert_events:
        words = [word for word in (row["rule"], row["reason"]) if word is not None]
        yield _entry(
            row,
            f"alert|{row['alert_id']}|{row['ordinal']}",
            datetime.combine(row["on_day"], time(), tzinfo=UTC),
            category="alert",
            sub_type=row["transition"],
            said=": ".join(words),
            source_id=row["alert_id"],
        )


def _health(told: Told) -> Iterator[dict[str, Any]]:
    """A day whose state is not that of the account's day before it."""
    before: dict[str, str] = {}
    for row in sorted(told.health, key=lambda row: row["day"]):
        was = before.get(row["account_id"])
        before[row["account_id"]] = row["state"]
        if was not in (None, row["state"]):
            yield _entry(
                row,
                f"health|{row['day']}",
                datetime.combine(row["day"], time(), tzinfo=UTC),
                category="health",
                sub_type=row["state"],
                said=f"from {was} to {row['state']}",
                source_id=str(row["day"]),
            )


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
