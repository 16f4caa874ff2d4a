"""People, talks, work, licences and invoices beside a landing in daily folders.

What `deliveries` leaves out of its small world, thrown the same way: every row says from when it is
known, most are corrected or disappear at some time, and some tables never land.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from tests.recompute.books import Dice, SeededDice
from tests.recompute.deliveries import (
    ACCOUNTS,
    DAYS,
    DELAYS,
    FIRST_DAY,
    HOURS,
    ONE_DAY,
    Folders,
    book,
    land_row,
    seeded_folders,
)

TABLES = (
    "crm.contacts",
    "crm.interactions",
    "crm.tasks",
    "crm.goals",
    "crm.deals",
    "crm.nps_responses",
    "crm.licenses",
    "crm.license_assignments",
    "invoices.invoices",
    "invoices.payments",
    "invoices.credit_notes",
)
TYPES = ("call", "email", "email", "meeting", "qbr", "training", "check_in", "note")


def related_folders(seed: int, *, things: int = 40) -> Folders:
    """The landing of `seeded_folders`, and that many things of each kind beside it."""
    dice = SeededDice(np.random.default_rng([seed, 50]))
    plain = seeded_folders(seed)
    found = replace(plain, tables=_with_terms(dice, plain.tables))
    for number in range(things):
        for throw in (_contact, _interaction, _task, _goal, _deal, _answer, _license, _invoice):
            throw(dice, found, number)
    for number, table in enumerate(TABLES, start=10):
        if dice.pick((True, True, True, False)):
            book(dice, found, number, table)
    return found


def _with_terms(dice: Dice, tables: dict[str, Any]) -> dict[str, Any]:
    """Subscriptions with a term, or with the end of a paid period, in all of their versions."""
    terms: dict[str, dict[str, Any]] = {}
    rows = []
    for row in tables.get("invoices.subscriptions", []):
        told = terms.setdefault(
            row["subscription_id"],
            {
                "renewal_term_months": dice.pick((None, 1, 2, 12)),
                "notice_days": (None, 0, 14, 45)[sum(row["subscription_id"].encode()) % 4],
                "current_period_end_at": row["started_at"] + dice.pick((20, 60, 100)) * ONE_DAY,
            },
        )
        rows.append({**told, **row})
    return {**tables, "invoices.subscriptions": rows}


def _day(dice: Dice) -> datetime:
    """Some instant of the landing, or well before it."""
    days = dice.pick((*range(0, DAYS - 3, 4), -1, -12, -29, -30, -89, -90, -91))
    return FIRST_DAY + timedelta(days=days, hours=dice.pick(HOURS))


def _versions(
    dice: Dice, found: Folders, table: str, row: dict[str, Any], *changes: dict[str, Any]
) -> None:
    """The row, then what becomes of it, each in a later folder; now and then it disappears."""
    at = next(v for k, v in row.items() if k.endswith("_at") and v is not None)
    folder = at + dice.pick(DELAYS) * ONE_DAY
    updated = {"updated_at": at} if "updated_at" in row else {}
    land_row(found, table, row | updated, folder, version=folder)
    for change in changes[: dice.pick((0, 1, 2))]:
        folder += dice.pick((1, 3, 15)) * ONE_DAY
        updated = {"updated_at": folder} if "updated_at" in row else {}
        land_row(found, table, row | change | updated, folder, version=folder)
    if dice.pick((False,) * 5 + (True,)):
        folder += dice.pick((1, 9)) * ONE_DAY
        gone = {name: row[name] for name in row if name.endswith("_id")}
        day = max(folder.replace(hour=0, minute=0, second=0), FIRST_DAY) + ONE_DAY
        land_row(found, table, row | gone | {"_is_deleted": True}, folder, version=day)


def _contact(dice: Dice, found: Folders, number: int) -> None:
    if number >= 8:
        return
    row = {
        "contact_id": f"p{number}",
        "account_id": dice.pick(ACCOUNTS),
        "key_role": dice.pick((None, "", "champion")),
        "department": dice.pick((None, " ", "Sales", "sales", "IT")),
        "created_at": FIRST_DAY + dice.pick((-30, 0, 9)) * ONE_DAY,
        "updated_at": None,
    }
    _versions(dice, found, "crm.contacts", row, {"key_role": "sponsor"}, {"department": "IT"})


def _interaction(dice: Dice, found: Folders, number: int) -> None:
    row = {
        "interaction_id": f"i{number}",
        "account_id": dice.pick(ACCOUNTS),
        "contact_id": dice.pick((None, "p0", "p1", "p2", "p3", "p9")),
        "interaction_type": dice.pick(TYPES),
        "direction": dice.pick((None, "inbound", "Outbound")),
        "message_id": dice.pick((None, None, "<m1>", "m2")),
        "is_completed": dice.pick((None, True, False)),
        "occurred_at": _day(dice),
    }
    _versions(dice, found, "crm.interactions", row, {"is_completed": True}, {"contact_id": "p4"})


def _work(dice: Dice, number: int, kind: str) -> dict[str, Any]:
    created = _day(dice)
    return {
        f"{kind}_id": f"{kind}{number}",
        "account_id": dice.pick(ACCOUNTS),
        "status": dice.pick(("open", "Open", "done", "canceled")),
        "created_at": created,
        "due_on": dice.pick((None, (created + dice.pick((-2, 0, 6)) * ONE_DAY).date())),
        "completed_at": None,
        "updated_at": None,
    }


def _task(dice: Dice, found: Folders, number: int) -> None:
    row = _work(dice, number, "task")
    done = {
        "status": "Completed ",
        "completed_at": row["created_at"] + dice.pick((1, 20)) * ONE_DAY,
    }
    _versions(dice, found, "crm.tasks", row, done, {"status": "open"})


def _goal(dice: Dice, found: Folders, number: int) -> None:
    row = _work(dice, number, "goal") | {
        "title": "t",
        "progress_ratio": dice.pick((None, "0.25", "0.3333")),
    }
    done = {"status": "Reached", "completed_at": row["created_at"] + dice.pick((1, 20)) * ONE_DAY}
    _versions(dice, found, "crm.goals", row, {"progress_ratio": "0.9"}, done)


def _deal(dice: Dice, found: Folders, number: int) -> None:
    created = _day(dice)
    row = {
        "deal_id": f"d{number}",
        "account_id": dice.pick(ACCOUNTS),
        "deal_name": "d",
        "stage": dice.pick(("Prospect", "Proposal", "Closed Lost")),
        "amount": dice.pick((None, Decimal("100.10"), Decimal("900"))),
        "currency": dice.pick((None, "USD")),
        "created_at": created,
        "closed_at": None,
        "is_won": None,
        "updated_at": None,
    }
    closed = {
        "stage": "Closed Won",
        "closed_at": dice.pick((None, created + dice.pick((1, 30)) * ONE_DAY)),
        "is_won": True,
    }
    _versions(dice, found, "crm.deals", row, {"amount": Decimal(50)}, closed)


def _answer(dice: Dice, found: Folders, number: int) -> None:
    row = {
        "response_id": f"n{number}",
        "account_id": dice.pick((*ACCOUNTS, "ghost")),
        "user_id": dice.pick((None, "u", "v")),
        "score": dice.pick((0, 6, 7, 8, 9, 10)),
        "submitted_at": _day(dice),
    }
    _versions(dice, found, "crm.nps_responses", row, {"score": 3})


def _license(dice: Dice, found: Folders, number: int) -> None:
    if number >= 7:
        return
    started = _day(dice)
    row = {
        "license_id": f"l{number}",
        "account_id": dice.pick(ACCOUNTS),
        "package": "Suite",
        "status": dice.pick((None, "Active", "trial", "suspended", "expired")),
        "is_unlimited": dice.pick((False, False, False, True)),
        "seats_purchased": dice.pick((10, 3, None)),
        "started_at": started,
        "suspended_at": None,
        "expires_on": dice.pick((None, (started + dice.pick((5, 40)) * ONE_DAY).date())),
        "updated_at": None,
    }
    suspended = {"status": "Suspended", "suspended_at": started + dice.pick((9, 30)) * ONE_DAY}
    _versions(dice, found, "crm.licenses", row, {"status": "active"}, suspended)
    for user in ("u", "v", "x")[: dice.pick((0, 1, 3))]:
        held = {
            "license_id": row["license_id"],
            "user_id": user,
            "assigned_at": started + dice.pick((0, 4)) * ONE_DAY,
        }
        back = {"unassigned_at": held["assigned_at"] + dice.pick((0, 12)) * ONE_DAY}
        _versions(dice, found, "crm.license_assignments", held, back)


def _invoice(dice: Dice, found: Folders, number: int) -> None:
    if number >= 25:
        return
    created = _day(dice)
    name, account = f"v{number}", dice.pick(ACCOUNTS)
    row = {
        "invoice_id": name,
        "account_id": account,
        "status": dice.pick(("open", "Open", "draft", "uncollectible")),
        "currency": dice.pick(("USD", "usd", "EUR")),
        "created_at": created,
        "due_on": dice.pick((None, (created + dice.pick((0, 7)) * ONE_DAY).date())),
        "subtotal_amount": dice.pick((None, Decimal(90))),
        "discount_amount": None,
        "tax_amount": dice.pick((None, Decimal("9.99"))),
        "total_amount": dice.pick((None, Decimal("100.01"), Decimal(-5))),
        "paid_at": None,
        "voided_at": None,
    }
    later = created + dice.pick((2, 45)) * ONE_DAY
    ends = ({"status": "paid", "paid_at": later}, {"status": "paid"}, {"status": "Void"})
    _versions(dice, found, "invoices.invoices", row, {"status": "open"}, dice.pick(ends))
    for part in range(dice.pick((0, 1, 2))):
        payment = {
            "payment_id": f"{name}y{part}",
            "account_id": account,
            "invoice_id": name,
            "currency": dice.pick(("USD", "USD", "EUR")),
            "amount": dice.pick((Decimal("50.005"), Decimal(100), Decimal(-20))),
            "paid_at": created + dice.pick((0, 12, 40)) * ONE_DAY,
            "status": dice.pick((None, "succeeded", "Failed")),
        }
        _versions(dice, found, "invoices.payments", payment, {"status": "canceled"})
    if dice.pick((False, True)):
        note = {
            "credit_note_id": f"{name}c",
            "account_id": account,
            "invoice_id": name,
            "currency": "USD",
            "amount": Decimal("10.5"),
            "issued_at": created + dice.pick((3, 33)) * ONE_DAY,
        }
        _versions(dice, found, "invoices.credit_notes", note)
