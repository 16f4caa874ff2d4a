"""What an account is on a day, and how engaged it and its users are; no code of the product.

Source: the project's spec 00 ("account status") and 30 ("Leads", "Engagement score").
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any

from tests.recompute.subscriptions import CANCELLED, Told, spans
from tests.recompute.usage_facts import Facts, subscriptions_of

Row = Mapping[str, Any]

# What `seeds/account_statuses.csv` makes of the CRM's words that the worlds use.
CRM_WORDS = {"customer": "customer", "trial": "trial", "cancelled": "churned"}


def accounts(facts: Facts) -> list[dict[str, Any]]:
    """The rows of `dim_accounts`, most attributes aside; test accounts stand there as well."""
    leads = {row["lead_id"]: row for row in facts.world.leads}
    rows = []
    for row in facts.world.books.accounts:
        if row["created_at"] < facts.as_of:
            name = row["account_id"]
            rows.append(
                {
                    "account_id": name,
                    "account_name": row["account_name"],
                    "status": status_now(facts, row),
                    "crm_status": row["status"],
                    "converted_from_lead_id": _first_lead(facts, name, leads),
                    "is_lead": bool(row.get("is_lead")),
                    "is_test": bool(row["is_test"]),
                }
            )
    return rows


def _first_lead(facts: Facts, account: str, leads: Mapping[str, Row]) -> str | None:
    """Of the leads whose rows are the account's now, the first that was converted."""
    own = [
        (facts.converted[lead], lead)
        for lead in facts.converted
        if lead in leads and facts.owners[lead] == account
    ]
    return min(own)[1] if own else None


def status_now(facts: Facts, account: Row) -> str:
    """The status at the as-of instant: what starts then is in force, what ends then is over."""
    at = facts.as_of
    return _status(
        facts,
        account,
        has_begun=lambda start: start <= at,
        is_over=lambda end: end is not None and end <= at,
    )


def status_before(facts: Facts, name: str, instant: datetime) -> str:
    """The status that was in force just before an instant."""
    account = next(row for row in facts.accounts if row["account_id"] == name)
    return _status(
        facts,
        account,
        has_begun=lambda start: start < instant,
        is_over=lambda end: end is not None and end < instant,
    )


def _status(
    facts: Facts,
    account: Row,
    *,
    has_begun: Callable[[datetime], bool],
    is_over: Callable[[datetime | None], bool],
) -> str:
    if account.get("is_lead"):
        return "lead"
    own = [] if account["is_test"] else subscriptions_of(account["account_id"], facts.world)
    begun = [(one, span) for one in own for span in spans(one) if has_begun(span.start)]
    in_force = [(one, span) for one, span in begun if not is_over(span.end)]
    paid = [(one, span) for one, span in in_force if span.phase == "paid"]
    if any(_is_past_due(one, has_begun) for one, _ in paid):
        return "past_due"
    if in_force:
        return "customer" if paid else "trial"
    if any(span.phase == "paid" for _, span in begun):
        return "churned"
    return CRM_WORDS.get((account["status"] or "").lower(), "lead")


def _is_past_due(one: Told, has_begun: Callable[[datetime], bool]) -> bool:
    """By the last word said; without any history by the row's own, which has always held.

    What a cancellation leaves of the paid time is in the state that was before it.
    """
    if not one.words:
        return one.word == "past_due"
    words = one.words[:-1] if one.words[-1][1] == CANCELLED else one.words
    said = [word for at, word in words if has_begun(at)]
    return bool(said) and said[-1] == "past_due"


def is_active_account(facts: Facts, name: str) -> bool:
    """Whether it is a customer, in good standing or past due."""
    account = next(row for row in facts.accounts if row["account_id"] == name)
    return status_now(facts, account) in ("customer", "past_due")


def scored(average: Fraction, among: Sequence[Fraction]) -> Fraction:
    """100 x those with strictly fewer actions a day / all; under one a day it is nothing."""
    below = [other for other in among if other < average]
    return Fraction(0) if average < 1 else Fraction(100 * len(below), len(among))
