"""Work of the CRM in plain Python: tasks, goals, documents, deals and their stages.

Source of every rule: the project's spec 40, 00 and 20 ("Currency"); shares no code with the
product.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any

from tests.recompute.crm_facts import CrmFacts

Row = dict[str, Any]

DONE = {
    "task": {"completed", "complete", "done", "closed"},
    "goal": {"completed", "complete", "done", "achieved", "reached"},
}
CENT = Decimal("0.01")


def _days(first: date | None, last: date | None) -> int | None:
    return None if first is None or last is None else (last - first).days


def _source(row: Row) -> str:
    told: str = (row["_extras"] or {}).get("source", "crm")
    return told


def tasks(facts: CrmFacts) -> list[Row]:
    """Rows of `fct_tasks`."""
    return [
        {
            **_work(facts, row, "task"),
            "assignee_id": row["assignee_id"],
            "assignee_name": facts.member_name(row["assignee_id"]),
            "source": _source(row),
        }
        for row in facts.tables["crm.tasks"]
    ]


def goals(facts: CrmFacts) -> list[Row]:
    """Rows of `fct_goals`."""
    return [
        {
            **_work(facts, row, "goal"),
            "goal_title": row["title"],
            "progress_ratio": row["progress_ratio"],
        }
        for row in facts.tables["crm.goals"]
    ]


def _work(facts: CrmFacts, row: Row, kind: str) -> Row:
    completed = facts.happened(row["completed_at"])
    is_to_come = row["completed_at"] is not None and completed is None
    status = "open" if is_to_come else row["status"].strip(" ").lower()
    is_completed = completed is not None or status in DONE[kind]
    is_open = not is_completed and status not in ("cancelled", "canceled")
    is_overdue = is_open and row["due_on"] is not None and row["due_on"] < facts.today
    created_on, completed_on = facts.day(row["created_at"]), facts.day(completed)
    return {
        f"{kind}_id": row[f"{kind}_id"],
        "account_id": row["account_id"],
        "status": status,
        "priority": None if row["priority"] is None else row["priority"].strip(" ").lower(),
        "age_days": _days(created_on, facts.today if is_open else completed_on),
        "overdue_days": _days(row["due_on"], facts.today) if is_overdue else 0,
        "is_open": is_open,
        "is_completed": is_completed,
        "is_overdue": is_overdue,
        "is_history_assumed": row["updated_at"] is None,
        "created_on": created_on,
        "due_on": row["due_on"],
        "completed_on": completed_on,
        "created_at": row["created_at"],
        "completed_at": completed,
    }


def documents(facts: CrmFacts) -> list[Row]:
    """Rows of `fct_documents`."""
    return [
        {
            "document_id": row["document_id"],
            "account_id": row["account_id"],
            "document_title": row["title"],
            "link": row["uri"],
            "source": _source(row),
            "age_days": _days(facts.day(row["created_at"]), facts.today),
            "created_on": facts.day(row["created_at"]),
            "created_at": row["created_at"],
        }
        for row in facts.tables["crm.documents"]
    ]


@dataclass(frozen=True, kw_only=True)
class Deal:
    """A deal with the stages that it was in, and how it ended.

    Attributes:
        row: as the CRM knows it.
        stages: each with the instant at which the deal came to it.
        is_assumed: whether there is no history of them.
        outcome: open, won or lost.
        closed_at: when that was decided, if anybody says.
    """

    row: Row
    stages: list[tuple[str, datetime]]
    is_assumed: bool
    outcome: str
    closed_at: datetime | None


def deals_of(facts: CrmFacts) -> list[Deal]:
    """All deals that count."""
    return [_deal(facts, row) for row in facts.tables["crm.deals"]]


def _deal(facts: CrmFacts, row: Row) -> Deal:
    stages: list[tuple[str, datetime]] = []
    changes = facts.tables["crm.deal_stage_changes"]
    for change in (one for one in changes if one["deal_id"] == row["deal_id"]):
        if not stages or stages[-1][0] != change["stage"]:
            stages.append((change["stage"], change["changed_at"]))
    is_assumed = not stages
    stages = stages or [(row["stage"], row["created_at"])]
    closed_at = facts.happened(row["closed_at"])
    if row["closed_at"] is not None:
        outcome = "open" if closed_at is None else _told(row, stages[-1][0])
    else:
        outcome = _by_word(row, stages[-1][0])
        closed_at = stages[-1][1] if outcome != "open" and not is_assumed else None
    return Deal(row=row, stages=stages, is_assumed=is_assumed, outcome=outcome, closed_at=closed_at)


def _word(stage: str) -> str:
    return "".join(letter for letter in stage.lower() if "a" <= letter <= "z")


def _told(row: Row, stage: str) -> str:
    """How a deal ended whose closing is told: is_won says it, else the word of its stage."""
    is_won = row["is_won"]
    if is_won is None:
        is_won = _word(stage) in ("won", "closedwon")
    return "won" if is_won else "lost"


def _by_word(row: Row, stage: str) -> str:
    """Whether a deal ended of which nobody says when."""
    if row["is_won"] and stage == row["stage"]:
        return "won"
    words = {"won": "won", "closedwon": "won", "lost": "lost", "closedlost": "lost"}
    return words.get(_word(stage), "open")


def deals(facts: CrmFacts) -> list[Row]:
    """Rows of `fct_deals`."""
    return [_deal_row(facts, deal) for deal in deals_of(facts)]


def _deal_row(facts: CrmFacts, deal: Deal) -> Row:
    row, is_open = deal.row, deal.outcome == "open"
    stage, entered_at = deal.stages[-1]
    due = row["expected_close_on"]
    closed_on, created_on = facts.day(deal.closed_at), facts.day(row["created_at"])
    amount = _amount(facts, deal)
    return {
        **{name: row[name] for name in ("deal_id", "account_id", "deal_type", "owner_id")},
        "stage": stage,
        "outcome": deal.outcome,
        "owner_name": facts.member_name(row["owner_id"]),
        "currency": _currency(facts, row),
        "deal_amount_original": row["amount"],
        "deal_amount": amount,
        "open_pipeline_amount": amount if is_open else Decimal(0),
        "won_amount": amount if deal.outcome == "won" else Decimal(0),
        "stage_count": len(deal.stages),
        "age_days": _days(created_on, facts.today if is_open else closed_on),
        "days_in_stage": _days(facts.day(entered_at), facts.today) if is_open else None,
        "is_open": is_open,
        "is_won": deal.outcome == "won",
        "is_overdue": is_open and due is not None and due < facts.today,
        "is_history_assumed": deal.is_assumed,
        "created_on": created_on,
        "expected_close_on": due,
        "closed_on": closed_on,
        "created_at": row["created_at"],
        "stage_entered_at": entered_at,
        "closed_at": deal.closed_at,
    }


def _currency(facts: CrmFacts, row: Row) -> str:
    told: str = row["currency"] or facts.currencies.get(row["account_id"]) or "USD"
    return told.upper()


def _amount(facts: CrmFacts, deal: Deal) -> Decimal | None:
    """What a deal is worth in the reporting currency, rounded once, half-even."""
    instant = deal.closed_at or facts.as_of - timedelta(microseconds=1)
    rate = facts.fx.of_month(_currency(facts, deal.row), instant)
    if deal.row["amount"] is None or rate is None:
        return None
    exact = Fraction(deal.row["amount"]) * rate
    return (Decimal(round(exact * 100)) * CENT).quantize(CENT, rounding=ROUND_HALF_EVEN)


def deal_stages(facts: CrmFacts) -> list[Row]:
    """Rows of `deal_stage_history`."""
    return [row for deal in deals_of(facts) for row in _stage_rows(facts, deal)]


def _stage_rows(facts: CrmFacts, deal: Deal) -> list[Row]:
    found = []
    for place, (stage, entered_at) in enumerate(deal.stages):
        left_at = deal.stages[place + 1][1] if place + 1 < len(deal.stages) else None
        end = deal.closed_at if deal.outcome != "open" else facts.as_of
        ends = [at for at in (left_at, end) if at is not None]
        lasted = max(min(ends) - entered_at, timedelta()) if ends else None
        found.append(
            {
                "deal_id": deal.row["deal_id"],
                "stage_number": place + 1,
                "account_id": deal.row["account_id"],
                "stage": stage,
                "duration_days": None
                if lasted is None
                else Fraction(lasted // timedelta(microseconds=1), 86_400_000_000),
                "is_current": left_at is None,
                "is_history_assumed": deal.is_assumed,
                "entered_on": facts.day(entered_at),
                "entered_at": entered_at,
                "left_at": left_at,
            }
        )
    return found
