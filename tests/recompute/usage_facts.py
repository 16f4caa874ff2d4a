"""What every usage mart counts, gathered once from a generated world; no code of the product.

Source of every rule: the project's spec 30 (first paragraph) and spec 00 (time, words, identity).
"""

from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from fractions import Fraction
from typing import Any

from tests.recompute.activity import (
    ONE_DAY,
    Actor,
    Moment,
    Registration,
    counted_moments,
    identified,
    registrations,
)
from tests.recompute.calendars import local_day, shifted_month
from tests.recompute.merges import of_survivors, settled, survivors, with_leads
from tests.recompute.subscriptions import Span, Told, spans, told
from tests.recompute.usage_world import UsageWorld

Row = Mapping[str, Any]

NONE = "(none)"


@dataclass(frozen=True, kw_only=True)
class Act:
    """One counted event of a full day, with what it says and the time that it opens."""

    moment: Moment
    package: str
    feature: str
    event: Row

    @property
    def account_id(self) -> str:
        return self.moment.account_id

    @property
    def user_id(self) -> str | None:
        return self.moment.user_id

    @property
    def actor(self) -> Actor:
        return self.moment.actor

    @property
    def day(self) -> date:
        return self.moment.day

    @property
    def at(self) -> datetime:
        return self.moment.at

    @property
    def module(self) -> str:
        return self.moment.module

    @property
    def is_activity(self) -> bool:
        return self.moment.is_activity

    @property
    def is_use(self) -> bool:
        return self.moment.kind == "use"

    @property
    def uses(self) -> int:
        return self.moment.quantity if self.is_use else 0


@dataclass(frozen=True, kw_only=True)
class Facts:
    """A world seen from its as-of instant, every merge followed."""

    world: UsageWorld
    zone: tzinfo
    accounts: tuple[Row, ...]
    acts: tuple[Act, ...]
    people: tuple[Registration, ...]
    # Paid time and trials of each account, with the plan that they are of.
    plans: Mapping[str, Sequence[tuple[str, Span]]]
    # Who became part of whom, leads that became accounts too, and when those did.
    owners: Mapping[str, str]
    converted: Mapping[str, datetime]
    infers_logins: bool
    # Users as they landed, under the survivors: two rows of one user each date their account.
    landed_users: tuple[Row, ...]

    @property
    def as_of(self) -> datetime:
        return self.world.books.as_of

    @property
    def today(self) -> date:
        """The as-of day: the first one that is not counted."""
        return local_day(self.as_of, self.zone)

    def day_of(self, instant: datetime) -> date:
        """The local day of an instant."""
        return local_day(instant, self.zone)

    @property
    def names(self) -> list[str]:
        return sorted(row["account_id"] for row in self.accounts)

    def registered(self, account: str, first: date, last: date) -> set[str]:
        """The users registered in the window of these full days."""
        return {p.user_id for p in self.people if p.account_id == account and p.counts(first, last)}

    def is_login(self, act: Act) -> bool:
        return act.moment.opens_session if self.infers_logins else act.moment.kind == "login"

    def first_day(self, account: str) -> date:
        """The earlier of the account's creation and its first dated row."""
        books = self.world.books
        created = next(a["created_at"] for a in self.accounts if a["account_id"] == account)
        dated = [e["occurred_at"] for e in books.events if e["account_id"] == account]
        dated += [u.get("created_at") for u in self.landed_users if u["account_id"] == account]
        dated += [s["started_at"] for s in books.subscriptions if s["account_id"] == account]
        there = [at for at in [created, *dated] if at is not None and at < self.as_of]
        return self.day_of(min(there))


def gather(world: UsageWorld, zone: tzinfo = UTC) -> Facts:
    """All that counts, under the accounts that it counts under."""
    landing = with_leads(world.books, world.leads)
    books = settled(landing)
    landed = {a["account_id"] for a in landing.accounts if a["created_at"] < books.as_of}
    merges = [m for m in landing.merges if m["merged_at"] < books.as_of]
    who = survivors(merges, landed)
    under = replace(
        world,
        books=books,
        licenses=of_survivors(world.licenses, who),
        flags=of_survivors(world.flags, who),
        entitlements=_granted_to_survivors(world.entitlements, who),
    )
    known = [a for a in books.accounts if a["created_at"] < books.as_of and not a.get("is_test")]
    events = identified(books.events, books.users, books.as_of, zone)
    return Facts(
        world=under,
        zone=zone,
        accounts=tuple(known),
        acts=tuple(_acts(known, books.users, events, books.as_of, zone)),
        people=tuple(registrations(known, books.users, events, books.as_of, zone)),
        plans={a["account_id"]: [] if a.get("is_lead") else _plans(a, under) for a in known},
        owners=who,
        converted={
            row["from_account_id"]: row["merged_at"]
            for row in landing.merges[len(world.books.merges) :]
        },
        infers_logins=not any(
            e["event_type"] == "login" and e["occurred_at"] < books.as_of for e in events
        ),
        landed_users=tuple(of_survivors(world.books.users, who)),
    )


def _granted_to_survivors(rows: Iterable[Row], who: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {**row, "account_id": who.get(row.get("account_id", ""), row.get("account_id"))}
        for row in rows
    ]


def _acts(
    accounts: Sequence[Row],
    users: Sequence[Row],
    events: Sequence[Row],
    as_of: datetime,
    zone: tzinfo,
) -> Iterator[Act]:
    by_id = {event["event_id"]: event for event in events}
    for moment in counted_moments(accounts, users, events, as_of, zone):
        if moment.day < local_day(as_of, zone):
            event = by_id[moment.event_id]
            yield Act(
                moment=moment,
                package=event.get("package") or NONE,
                feature=event.get("feature") or NONE,
                event=event,
            )


def _plans(account: Row, world: UsageWorld) -> list[tuple[str, Span]]:
    return [
        (told_of.row["plan"], span)
        for told_of in subscriptions_of(account["account_id"], world)
        for span in spans(told_of)
    ]


def subscriptions_of(account: str, world: UsageWorld) -> list[Told]:
    """The account's subscriptions with their history, as of the as-of instant."""
    books = world.books
    return [
        told(row, books.changes, books.as_of)
        for row in books.subscriptions
        if row["account_id"] == account and row["started_at"] < books.as_of
    ]


def seconds(acts: Iterable[Act]) -> Fraction:
    """The time that these open."""
    return Fraction(sum(act.moment.microseconds for act in acts), 1_000_000)


def ratio(part: int | Fraction, whole: int | Fraction) -> Fraction | None:
    """A quotient; nothing where there is nothing to divide by."""
    return None if whole == 0 else Fraction(part) / Fraction(whole)


def users_of(acts: Iterable[Act]) -> set[str]:
    """The identified users among those who did these."""
    return {act.user_id for act in acts if act.user_id is not None}


def visitors_of(acts: Iterable[Act]) -> set[Actor]:
    """The anonymous visitors among those who did these."""
    return {act.actor for act in acts if act.actor[0] == "anonymous"}


def in_window(acts: Iterable[Act], last: date, days: int, *, back: int = 0) -> list[Act]:
    """Those in the `days` days that end `back` days before `last`."""
    end = last - back * ONE_DAY
    return [act for act in acts if end - days * ONE_DAY < act.day <= end]


def months_before(day: date, months: int) -> date:
    """So many calendar months before a day, clamped to the month's last one."""
    month = shifted_month(day.replace(day=1), -months)
    return month.replace(day=min(day.day, monthrange(month.year, month.month)[1]))


def days_between(first: date, last: date) -> Iterator[date]:
    """Every day from the first to the last."""
    while first <= last:
        yield first
        first += timedelta(days=1)
