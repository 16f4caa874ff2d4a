"""The sample's relations: contacts, touches, tasks, goals, documents and what customers answer.

Drawn account by account and month by month: a later month changes nothing that was drawn before.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from assets.extracts.sampling import words
from assets.extracts.sampling.accounts import EPOCH, Account, instant
from assets.extracts.sampling.crm import assignments
from assets.extracts.sampling.moments import frame, happened
from assets.extracts.sampling.world import World

Row = dict[str, Any]

# How many of each a month brings, for an account of each tier.
TOUCHES = {
    "Starter": {"email": 1.2, "call": 0.15, "meeting": 0.1, "check_in": 0.2, "note": 0.2},
    "Growth": {"email": 2.2, "call": 0.4, "meeting": 0.3, "check_in": 0.5, "note": 0.4},
    "Enterprise": {"email": 3.5, "call": 0.7, "meeting": 0.8, "check_in": 1.0, "note": 0.8},
}
KEY_ROLES = ("champion", "influencer", None, "decision_maker", "sponsor")
DATED = {
    "contacts": ("created_at",),
    "interactions": ("occurred_at",),
    "tasks": ("created_at", "completed_at"),
    "goals": ("created_at", "_halfway_at", "completed_at"),
    "documents": ("created_at",),
    "nps_responses": ("submitted_at",),
}


@dataclass(frozen=True, kw_only=True)
class _Month:
    """One month of one account; `days` are those of its life, counted from 1970-01-01."""

    account: Account
    name: str
    days: np.ndarray
    is_first: bool
    is_quarter: bool
    strain: float
    contacts: tuple[Row, ...]
    csm: str
    rng: np.random.Generator

    def moment(self) -> datetime:
        """Some working hour of some day of the month."""
        day = int(self.rng.choice(self.days))
        return max(
            instant(day) + timedelta(seconds=int(self.rng.integers(28_800, 61_200))),
            self.account.created_at,
        )

    def key(self, letter: str, number: int) -> str:
        return f"{letter}-{self.account.number:04d}-{self.name}-{number + 1:02d}"


def plan_relations(world: World, until: datetime) -> Mapping[str, pl.DataFrame]:
    """Every row of the accounts' months that begin before `until`, with all that becomes of it."""
    rows: dict[str, list[Row]] = {name: [] for name in DATED}
    for place, account in enumerate(world.accounts):
        contacts = tuple(_contacts(world, place, account))
        rows["contacts"] += contacts
        for month in _months(world, account, contacts, until):
            for name, draw in _DRAWS.items():
                rows[name] += draw(month)
    return {name: frame(found, DATED[name], ("account_id",)) for name, found in rows.items()}


def known_relations(tables: Mapping[str, pl.DataFrame], end: datetime) -> dict[str, pl.DataFrame]:
    """The rows that exist just before `end`, as they read then."""
    moment = pl.lit(end)
    known = {}
    for name, table in tables.items():
        born, *later = DATED[name]
        told = table.filter(pl.col(born) < moment)
        known[name] = told.with_columns(happened(column, moment) for column in later)
    is_done = pl.col("completed_at").is_not_null()
    status = pl.when(is_done).then(pl.lit("completed")).otherwise(pl.lit("open"))
    progress = (
        pl.when(is_done).then(1.0)
        .when(pl.col("_halfway_at").is_not_null()).then(0.5)
        .otherwise(0.0)
    )  # fmt: skip
    known["tasks"] = known["tasks"].with_columns(status=status, updated_at=_touched("tasks"))
    known["goals"] = known["goals"].with_columns(
        status=status, progress_ratio=progress, updated_at=_touched("goals")
    )
    return known


def _touched(name: str) -> pl.Expr:
    return pl.max_horizontal(DATED[name])


def _contacts(world: World, place: int, account: Account) -> Iterator[Row]:
    """Up to three people who use the product, and two who decide about it and don't."""
    rng = np.random.default_rng([world.seed, 20, account.number])
    first = int(world.first_user[place])
    users = world.people.table[first : first + min(account.users, 3)].to_dicts()
    decide = instant(account.created_day) + timedelta(days=1, hours=10)
    for number, key_role in enumerate(KEY_ROLES[: len(users)] + KEY_ROLES[3:]):
        is_user = number < len(users)
        name = users[number]["full_name"] if is_user else words.person(rng)
        own = f"{str(name).lower().replace(' ', '.')}@{account.domain}"
        department = words.DEPARTMENTS[int(rng.integers(len(words.DEPARTMENTS)))]
        yield {
            "contact_id": f"c-{account.number:04d}-{number + 1}",
            "account_id": account.account_id,
            "full_name": name,
            "email": users[number]["email"] if is_user else own,
            "phone": f"+1 555 01{account.number % 100:02d} {number + 1}",
            "title": f"{'Lead' if is_user else 'Head'} of {department}",
            "department": department,
            "key_role": key_role,
            "source": "crm",
            "created_at": users[number]["created_at"] if is_user else decide,
            "updated_at": users[number]["created_at"] if is_user else decide,
        }


def _months(
    world: World, account: Account, contacts: tuple[Row, ...], until: datetime
) -> Iterator[_Month]:
    """The months of an account's life, from its creation to the day it leaves for good."""
    stays = account.left_day is None or account.back_day is not None
    last_day = 2**31 if stays else int(account.left_day or 0)
    team = [row for row in assignments(world, account) if row["role"] == "csm"]
    month, number = account.created_at.replace(day=1, hour=0, minute=0, second=0), 0
    while month < until and month.toordinal() - EPOCH < last_day:
        following = (month + timedelta(days=32)).replace(day=1)
        first = max(month.toordinal() - EPOCH, account.created_day)
        days = np.arange(first, min(following.toordinal() - EPOCH, last_day))
        if days.size:
            yield _Month(
                account=account,
                name=f"{month:%Y%m}",
                days=days,
                is_first=number == 0,
                is_quarter=number % 3 == 2,
                strain=_strain(account, first),
                contacts=contacts,
                csm=str(_in_charge(team, instant(first))),
                rng=np.random.default_rng([world.seed, 21, account.number, month.toordinal()]),
            )
        month, number = following, number + 1


def _strain(account: Account, day: int) -> float:
    """How much trouble the account has on a day, 0 to 1."""
    days, strains = zip(*account.strain, strict=True)
    return float(np.interp(day, days, strains))


def _in_charge(team: list[Row], at: datetime) -> object:
    """Who looks after the account at an instant; the first one before anybody does."""
    began = [row for row in team if row["valid_from"] <= at]
    return (began or team)[-1 if began else 0]["team_member_id"]


def _touches(month: _Month) -> Iterator[Row]:
    """The month's e-mails, calls and meetings; the first one brings trainings."""
    rng = month.rng
    share = 0.3 if month.account.story == "quiet" else 1.0
    counts = {kind: rng.poisson(n * share) for kind, n in TOUCHES[month.account.tier].items()}
    counts["training"] = int(month.is_first) * (1 + month.account.number % 2)
    counts["qbr"] = int(month.is_quarter and month.account.tier == "Enterprise")
    kinds = [kind for kind, count in counts.items() for _ in range(count)]
    for number, kind in enumerate(kinds):
        row = _touch(month, kind, number)
        yield row
        # The same e-mail, once from the mailbox and once as a blind copy to the CRM.
        if kind == "email" and row["sub_type"] == "synced" and rng.random() < 0.1:
            again = {"interaction_id": f"{row['interaction_id']}-b", "sub_type": "bcc"}
            yield row | again | {"source": "bcc"}


def _touch(month: _Month, kind: str, number: int) -> Row:
    rng, is_email = month.rng, kind == "email"
    at = month.moment()
    reached = [row for row in month.contacts if row["created_at"] <= at]
    contact = reached[int(rng.integers(len(reached)))] if reached and kind != "note" else None
    sub_type = rng.choice(["synced", "campaign", "trigger"], p=[0.7, 0.2, 0.1])
    is_inbound = is_email and sub_type == "synced" and rng.random() < 0.45
    subjects = words.TOUCH_SUBJECTS[kind]
    key = month.key("i", number)
    return {
        "interaction_id": key,
        "account_id": month.account.account_id,
        "contact_id": contact["contact_id"] if contact else None,
        "team_member_id": month.csm,
        "interaction_type": kind,
        "sub_type": str(sub_type) if is_email else None,
        "subject": subjects[int(rng.integers(len(subjects)))],
        "direction": ("inbound" if is_inbound else "outbound") if is_email else None,
        "message_id": f"<{key}@mail.example>" if is_email else None,
        "is_completed": kind not in ("call", "meeting") or rng.random() < 0.92,
        "occurred_at": at,
        "source": "mailbox" if is_email else "crm",
    }


def _tasks(month: _Month) -> Iterator[Row]:
    """Next steps of the csm; one in six is never done."""
    for number in range(month.rng.poisson(0.7)):
        at = month.moment()
        due = at + timedelta(days=int(month.rng.integers(5, 22)))
        done = at + timedelta(hours=int(24 * month.rng.gamma(3.0, 3.5)))
        yield {
            "task_id": month.key("k", number),
            "account_id": month.account.account_id,
            "task_type": words.TASK_TYPES[int(month.rng.integers(len(words.TASK_TYPES)))],
            "priority": str(month.rng.choice(["low", "normal", "high"], p=[0.3, 0.5, 0.2])),
            "assignee_id": month.csm,
            "created_at": at,
            "due_on": due.date().isoformat(),
            "completed_at": done if month.rng.random() < 0.84 else None,
        }


def _goals(month: _Month) -> Iterator[Row]:
    """What the customer wants to reach, agreed once a quarter with the larger ones."""
    if not month.is_quarter or month.account.tier == "Starter":
        return
    at = month.moment()
    is_reached = month.rng.random() < 0.75 - 0.5 * month.strain
    yield {
        "goal_id": month.key("g", 0),
        "account_id": month.account.account_id,
        "title": words.GOALS[int(month.rng.integers(len(words.GOALS)))],
        "priority": "high" if month.account.tier == "Enterprise" else "normal",
        "created_at": at,
        "due_on": (at + timedelta(days=90)).date().isoformat(),
        "_halfway_at": at + timedelta(days=int(month.rng.integers(25, 60))),
        "completed_at": at + timedelta(days=int(month.rng.integers(60, 110)))
        if is_reached
        else None,
    }


def _documents(month: _Month) -> Iterator[Row]:
    """The order form, and a plan for success where goals are agreed on."""
    kinds = ["order_form"] * month.is_first + ["success_plan"] * month.is_quarter
    for number, kind in enumerate(kinds):
        key = month.key("d", number)
        yield {
            "document_id": key,
            "account_id": month.account.account_id,
            "document_type": kind,
            "title": f"{kind.replace('_', ' ').capitalize()} of {month.account.name}",
            "uri": f"https://documents.example/{key}",
            "created_at": month.moment(),
        }


def _answers(month: _Month) -> Iterator[Row]:
    """Answers to a quarter's survey; whoever is in trouble gives fewer points."""
    people = [row for row in month.contacts if row["created_at"] < instant(int(month.days[0]))]
    for number, contact in enumerate(people * month.is_quarter):
        score = int(np.clip(round(month.rng.normal(8.7 - 4.5 * month.strain, 1.2)), 0, 10))
        if month.rng.random() < 0.5:
            yield {
                "response_id": month.key("n", number),
                "account_id": month.account.account_id,
                "email": contact["email"],
                "score": score,
                "comment": words.NPS_COMMENTS[0 if score > 8 else 1 if score > 6 else 2],
                "source": "survey" if number else "manual",
                "submitted_at": month.moment(),
            }


_DRAWS: Mapping[str, Callable[[_Month], Iterator[Row]]] = {
    "interactions": _touches,
    "tasks": _tasks,
    "goals": _goals,
    "documents": _documents,
    "nps_responses": _answers,
}
