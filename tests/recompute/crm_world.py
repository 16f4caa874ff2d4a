"""Random rows of the CRM that are rich in oddities: contacts, interactions, tasks, deals, answers.

Instants come from a small pool around the as-of one, so that things coincide all the time: two
copies of an e-mail, a closing at the as-of instant, answers exactly 90 days apart. Entities have
older versions, and rows that say that they are gone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import numpy as np

from tests.recompute.books import AS_OFS, MICROSECOND, Rows
from tests.recompute.dice import Dice, SeededDice

Kind = Callable[[Dice, datetime], dict[str, Any]]

DAY = timedelta(days=1)
ACCOUNTS = ("a", "b", "c", "d", "e", "test")
# Whom rows name: also leads (l1 became an account, l3 is to become one), and nobody who landed.
NAMES = (*ACCOUNTS, *ACCOUNTS, "l1", "l2", "l3", "ghost")
ADDRESSES = (None, " ", "pam@x.test", "Pam@X.test ", "quinn@x.test", "rob@x.test", "SAM@x.test")
USERS = ("u1", "u2", "u3", "U4")
MEMBERS = ("m1", "m2", "m3", "nobody")
WON_WORDS = ("Closed Won", "closedwon", "Won")
STAGES = ("New", "New", "Offer", "Offer", "Signed", "Closed Lost", "lost", *WON_WORDS)
STATUSES = (
    "open",
    "Open ",
    "in_progress",
    "completed",
    "Done",
    "achieved",
    "Cancelled",
    "canceled",
)


@dataclass(frozen=True, kw_only=True)
class CrmWorld:
    """Raw tables by `source.table`, and the as-of instant to look at them from."""

    as_of: datetime
    tables: dict[str, Rows]


def shifted_world(world: CrmWorld, by: timedelta) -> CrmWorld:
    """The same world with every instant moved: what fell on one edge falls on another one."""
    tables = {
        name: [{k: v + by if isinstance(v, datetime) else v for k, v in r.items()} for r in rows]
        for name, rows in world.tables.items()
    }
    return replace(world, as_of=world.as_of + by, tables=tables)


def seeded_crm(seed: int, *, size: int = 60) -> CrmWorld:
    """A world with that many rows of every kind; the same seed gives the same rows."""
    dice = SeededDice(np.random.default_rng([seed, 7]))
    as_of = AS_OFS[seed % len(AS_OFS)]
    pool = _instants(as_of)
    people = {
        "crm.contacts": _many(dice, "contact_id", size, pool, _contact),
        "crm.interactions": _many(dice, "interaction_id", size * 2, pool, _interaction),
        "crm.nps_responses": _many(dice, "response_id", size * 2, pool, _response),
        "crm.documents": _many(dice, "document_id", size, pool, _document),
    }
    work = {
        "crm.tasks": _many(dice, "task_id", size, pool, partial(_task, pool)),
        "crm.goals": _many(dice, "goal_id", size, pool, partial(_goal, pool)),
        "crm.deals": _many(dice, "deal_id", size, pool, partial(_deal, pool)),
        "crm.deal_stage_changes": _stage_changes(dice, size, pool),
        "invoices.fx_rates": _rates(dice),
    }
    return CrmWorld(as_of=as_of, tables=_companies(dice, as_of, pool) | people | work)


def _instants(as_of: datetime) -> tuple[datetime, ...]:
    midnight = as_of.replace(hour=0, minute=0)
    latest = midnight - 3 * DAY
    return (
        as_of, as_of + DAY, as_of - MICROSECOND, midnight, midnight - MICROSECOND, latest,
        latest - 90 * DAY, latest - 90 * DAY - MICROSECOND, latest - 91 * DAY, latest - 89 * DAY,
        midnight - 180 * DAY, midnight - 181 * DAY - MICROSECOND, midnight - 40 * DAY,
        midnight - 7 * DAY + timedelta(hours=13), midnight - 200 * DAY, midnight - 300 * DAY,
    )  # fmt: skip


def _companies(dice: Dice, as_of: datetime, pool: Sequence[datetime]) -> dict[str, Rows]:
    """Accounts of which some are one by now, leads, users, our team and who consented."""
    created = as_of - 400 * DAY
    currencies = dict(zip(ACCOUNTS, ("USD", None, "eur", "EUR", "GBP", None), strict=True))
    past = as_of - 30 * DAY
    return {
        "crm.accounts": [
            {
                "account_id": name,
                "account_name": name,
                "created_at": created,
                "currency": currency,
                "is_test": name == "test",
            }
            for name, currency in currencies.items()
        ],
        "crm.account_merges": [
            {"from_account_id": "e", "into_account_id": "b", "merged_at": past - DAY},
            {"from_account_id": "b", "into_account_id": "a", "merged_at": past},
            {"from_account_id": "c", "into_account_id": "d", "merged_at": as_of},
        ],
        "crm.leads": [
            _lead("l1", created, "d", past),
            _lead("l2", created, None, None),
            _lead("l3", created, "a", as_of),
        ],
        "events.users": [_user(dice, account, u, pool) for account in "abcd" for u in USERS],
        "crm.team_members": [
            {"team_member_id": "m1", "full_name": "One", "email": "one@ours", "manager_id": "m2"},
            {"team_member_id": "m2", "full_name": "Two", "manager_id": "gone"},
            {"team_member_id": "m3", "full_name": "Three", "manager_id": "m1"},
        ],
        "crm.account_team": _team(dice, pool),
        "crm.consents": _consents(dice, pool),
    }


def _lead(name: str, created: datetime, into: str | None, at: datetime | None) -> dict[str, Any]:
    return {
        "lead_id": name,
        "lead_name": name,
        "created_at": created,
        "converted_account_id": into,
        "converted_at": at,
    }


def _user(dice: Dice, account: str, user: str, pool: Sequence[datetime]) -> dict[str, Any]:
    return {
        "account_id": account,
        "user_id": user,
        "email": dice.pick(ADDRESSES),
        "full_name": f"{user} of {account}",
        "created_at": dice.pick((None, *pool[2:])),
        "is_internal": dice.pick((False, None, False, False, True)),
    }


def _team(dice: Dice, pool: Sequence[datetime]) -> Rows:
    """Assignments, of which every fourth left the extract."""
    keys = {
        (dice.pick(NAMES), dice.pick(MEMBERS), dice.pick(("csm", "sales")), dice.pick(pool))
        for _ in range(50)
    }
    names = ("account_id", "team_member_id", "role", "valid_from")
    found: Rows = []
    for number, key in enumerate(sorted(keys)):
        row = dict(zip(names, key, strict=True))
        found.append({**row, "valid_to": dice.pick((None, None, *pool))})
        if number % 4 == 0:
            found.append({**row, "_is_deleted": True, "_version_at": dice.pick(pool)})
    return found


def _consents(dice: Dice, pool: Sequence[datetime]) -> Rows:
    subjects = ("pam@x.test", "PAM@x.test", "quinn@x.test", "sam@x.test", "u1", "u4", "U2")
    purposes = ("email_marketing", "Email_Marketing", "sms")
    keys = {(dice.pick(subjects), dice.pick(purposes), dice.pick(pool)) for _ in range(14)}
    return [
        {
            "subject": subject,
            "purpose": purpose,
            "granted_at": at,
            "withdrawn_at": dice.pick((None, None, *pool)),
        }
        for subject, purpose, at in sorted(keys)
    ]


def _many(dice: Dice, key: str, size: int, pool: Sequence[datetime], row: Kind) -> Rows:
    """Rows of a kind: of every fifth an older version too, and every seventh is gone, or was."""
    found: Rows = []
    for number in range(size):
        name = f"{key[:1]}{number:03d}"
        at = dice.pick(pool)
        found.append({key: name, **row(dice, at)})
        if number % 5 == 0:
            found.append({key: name, **row(dice, at), "_version_at": dice.pick(pool)})
        if number % 7 == 0:
            found.append({key: name, "_is_deleted": True, "_version_at": dice.pick(pool)})
    return found


def _contact(dice: Dice, at: datetime) -> dict[str, Any]:
    return {
        "account_id": dice.pick(NAMES),
        "full_name": dice.pick((None, "Pam")),
        "email": dice.pick(ADDRESSES),
        "key_role": dice.pick((None, "DECISION_MAKER", "Decision  Maker", " champion", "co-buyer")),
        "source": dice.pick((None, "web")),
        "created_at": dice.pick((None, at, at)),
    }


def _interaction(dice: Dice, at: datetime) -> dict[str, Any]:
    kinds = ("email", "email", "email", "call", "meeting", "note", "check_in", "training", "qbr")
    return {
        "account_id": dice.pick(NAMES),
        "interaction_type": dice.pick(kinds),
        "sub_type": dice.pick((None, "BCC", "synced", "campaign")),
        "direction": dice.pick((None, "Inbound", "outbound")),
        "subject": dice.pick((None, "Hello", "Budget")),
        "contact_id": dice.pick((None, None, "c001", "c002")),
        "team_member_id": dice.pick((None, *MEMBERS)),
        "message_id": dice.pick((None, "", "<1@x>", " 1@x", "<2@x>", "3@x")),
        "is_completed": dice.pick((None, None, True, False)),
        "source": dice.pick((None, "sync", "outbox")),
        "occurred_at": at,
    }


def _response(dice: Dice, at: datetime) -> dict[str, Any]:
    return {
        "account_id": dice.pick(NAMES),
        "user_id": dice.pick((None, None, *USERS, "unknown")),
        "email": dice.pick((None, None, *ADDRESSES)),
        "score": dice.pick(range(11)),
        "comment": dice.pick((None, "Fine")),
        "source": dice.pick((None, "survey", "manual")),
        "submitted_at": at,
    }


def _document(dice: Dice, at: datetime) -> dict[str, Any]:
    return {
        "account_id": dice.pick(NAMES),
        "title": dice.pick((None, "Contract")),
        "uri": dice.pick((None, "https://x.test/1")),
        "created_at": at,
        "_extras": dice.pick((None, {"source": "drive"}, {"other": "1"})),
    }


def _task(pool: Sequence[datetime], dice: Dice, at: datetime) -> dict[str, Any]:
    return {
        "account_id": dice.pick(NAMES),
        "status": dice.pick(STATUSES),
        "priority": dice.pick((None, "HIGH", " low")),
        "assignee_id": dice.pick((None, *MEMBERS)),
        "created_at": at,
        "due_on": dice.pick((None, *(instant.date() for instant in pool))),
        "completed_at": dice.pick((None, None, *pool)),
        "updated_at": dice.pick((None, *pool)),
        "_extras": dice.pick((None, {"source": "alert"})),
    }


def _goal(pool: Sequence[datetime], dice: Dice, at: datetime) -> dict[str, Any]:
    task = _task(pool, dice, at)
    del task["assignee_id"]
    return {**task, "title": "Grow", "progress_ratio": dice.pick((None, 0.0, 0.25, 1.5))}


def _deal(pool: Sequence[datetime], dice: Dice, at: datetime) -> dict[str, Any]:
    amounts = (None, "100.05", "100.15", "0.0049", "33.3333", "999999.99")
    amount = dice.pick(amounts)
    return {
        "account_id": dice.pick(NAMES),
        "stage": dice.pick(STAGES),
        "deal_type": dice.pick((None, "new", "renewal")),
        "amount": None if amount is None else Decimal(amount),
        "currency": dice.pick((None, None, "USD", "eur", "EUR", "GBP")),
        "owner_id": dice.pick((None, *MEMBERS)),
        "created_at": at,
        "expected_close_on": dice.pick((None, *(instant.date() for instant in pool))),
        "closed_at": dice.pick((None, None, None, *pool)),
        "is_won": dice.pick((None, True, False)),
    }


def _stage_changes(dice: Dice, size: int, pool: Sequence[datetime]) -> Rows:
    keys = {(f"d{dice.pick(range(size)):03d}", dice.pick(pool)) for _ in range(size * 2)}
    return [
        {"deal_id": deal, "changed_at": at, "stage": dice.pick(STAGES)} for deal, at in sorted(keys)
    ]


def _rates(dice: Dice) -> Rows:
    """Rates of euros at most ends of months; pounds have none."""
    days = [date(2023, month, 28) for month in (5, 6, 8, 9, 10, 11, 12)]
    days += [date(2024, 1, 24), date(2024, 1, 25), date(2024, 2, 29), date(2024, 3, 31)]
    rates = ("1.1", "1.05", "1.23456789")
    return [{"currency": "EUR", "day": day, "rate": Decimal(dice.pick(rates))} for day in days]
