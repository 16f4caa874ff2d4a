"""What each day's row may show, in plain Python, from what landed and when it was known.

Slow and simple on purpose: for every day the world is put together anew, as it was known at the
first instant of the day after, and every metric is counted in it from nothing. A back-fill and
a run on each day are the same thing here. Source of every rule: the project's spec 00 ("What dates
a row", "When a row is known"), 20, 30 and 40 (`account_metrics_daily`); shares no code with the
product.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from fractions import Fraction
from typing import Any

from tests.recompute.activity import identified
from tests.recompute.merges import (
    events_of_survivors,
    of_survivors,
    standing,
    survivors,
    users_of_survivors,
)
from tests.recompute.revenue import ZERO, first_instant, item_segments, local_day, phases

Row = Mapping[str, Any]

NON_ACTIVITY = {"heartbeat", "identify"}
OPEN_WORDS = {"new", "open", "pending", "on_hold", "on-hold", "hold"}
SOLVED_WORDS = {"solved", "resolved", "closed"}
ONE_DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)
KEYS = {
    "crm.accounts": ("account_id",),
    "crm.account_merges": ("from_account_id",),
    "events.users": ("account_id", "user_id"),
    "invoices.subscriptions": ("subscription_id",),
    "invoices.subscription_items": ("item_id", "valid_from"),
    "tickets.tickets": ("ticket_id",),
}
DATED_BY = {
    "crm.accounts": "created_at",
    "crm.account_merges": "merged_at",
    "events.users": "created_at",
    "invoices.subscriptions": "started_at",
    "invoices.subscription_items": "valid_from",
    "tickets.tickets": "created_at",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Known:
    """Everything that landed, with the delivery of each row.

    Attributes:
        tables: rows by `source.table`; `_known_at` None is known when it happened; of entities
            every version, a tombstone being a row with `_is_deleted`.
        deliveries: rows of the loader's book: source, dt, known_at, watermark_at, first_as_of.
        crm_words: the status that each word of the CRM stands for.
        zone: the reporting time zone.
        worlds: what was known at the instants that were asked for.
    """

    tables: Mapping[str, Sequence[Row]]
    deliveries: Sequence[Row]
    crm_words: Mapping[str, str]
    zone: tzinfo = UTC
    worlds: dict[datetime, "World"] = field(default_factory=dict, repr=False)

    def at(self, instant: datetime) -> "World":
        """What was known at an instant; put together once."""
        if instant not in self.worlds:
            self.worlds[instant] = world_at(self, instant)
        return self.worlds[instant]


@dataclass(frozen=True, kw_only=True)
class World:
    """The rows as they were known at an instant, one version each, by table."""

    instant: datetime
    zone: tzinfo
    events: Sequence[Row]
    tables: Mapping[str, Sequence[Row]]

    @property
    def day(self) -> date:
        """The last full day before the instant."""
        return local_day(self.instant - MICROSECOND, self.zone)


def world_at(known: Known, instant: datetime) -> World:
    """What was known at an instant, of what is dated before it, each row under its survivor."""
    events = [
        row
        for row in known.tables.get("events.events", ())
        if _is_known(row, instant) and row["occurred_at"] < instant
    ]
    tables: dict[str, Sequence[Row]] = {n: list(_versions(known, n, instant)) for n in KEYS}
    merges = tables["crm.account_merges"]
    who = survivors(merges, {a["account_id"] for a in tables["crm.accounts"]})
    tables["crm.accounts"] = standing(tables["crm.accounts"], who)
    tables["events.users"] = users_of_survivors(tables["events.users"], who, merges)
    for name in ("invoices.subscriptions", "tickets.tickets"):
        tables[name] = of_survivors(tables[name], who)
    events = identified(
        events_of_survivors(events, who, merges), tables["events.users"], instant, known.zone
    )
    return World(instant=instant, zone=known.zone, events=events, tables=tables)


def _is_known(row: Row, instant: datetime) -> bool:
    known_at = row.get("_known_at")
    return known_at is None or known_at <= instant


def _versions(known: Known, table: str, instant: datetime) -> Iterator[dict[str, Any]]:
    """The latest known version of each key; `gone_at` is set where a later row says it is gone."""
    latest: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in sorted(enumerate(known.tables.get(table, ())), key=_version_order):
        version = dict(row[1])
        dated_at = version.get(DATED_BY[table])
        is_dated = version.get("_is_deleted") or dated_at is None or dated_at < instant
        if not is_dated or not _is_known(version, instant):
            continue
        key = tuple(version[name] for name in KEYS[table])
        if not version.get("_is_deleted"):
            latest[key] = version | {"gone_at": None}
        elif key in latest:
            gone_on = local_day(version["_version_at"] - MICROSECOND, known.zone)
            latest[key]["gone_at"] = first_instant(gone_on, known.zone)
    yield from latest.values()


def _version_order(numbered: tuple[int, Row]) -> tuple[bool, datetime, str, int]:
    number, row = numbered
    at = row.get("_version_at")
    beginning = datetime(1, 1, 1, tzinfo=UTC)
    return (at is not None, at or beginning, row.get("_load_order", "0"), number)


def account_metrics_daily(known: Known, as_of: datetime) -> list[dict[str, Any]]:
    """The rows of `account_metrics_daily`, if a release had been made after each day."""
    latest = _versions(known, "crm.accounts", as_of)
    tests = {a["account_id"] for a in latest if a.get("is_test")}
    rows = []
    for day in days_of(known, as_of):
        world = known.at(first_instant(day + ONE_DAY, known.zone))
        landed = {d["source"] for d in deliveries_known(known, world.instant)}
        for account in world.tables["crm.accounts"]:
            if account["account_id"] not in tests:
                rows.append(_account_day(world, account, landed, known.crm_words))
    return rows


def days_of(known: Known, as_of: datetime) -> Iterator[date]:
    """Every full day before as-of, from the first account's creation on."""
    day = min(
        local_day(a["created_at"], known.zone)
        for a in known.tables["crm.accounts"]
        if a.get("created_at") is not None
    )
    while day < local_day(as_of, known.zone):
        yield day
        day += ONE_DAY


def _account_day(
    world: World, account: Row, landed: set[str], crm_words: Mapping[str, str]
) -> dict[str, Any]:
    name = account["account_id"]
    row: dict[str, Any] = {
        "account_id": name,
        "day": world.day,
        "account_status": account_status(world, account, crm_words),
    }
    for source, measures in (
        ("invoices", {"mrr": _mrr(world, account)}),
        ("events", _use(world, name)),
        ("tickets", _tickets(world, name)),
    ):
        row |= measures if source in landed else dict.fromkeys(measures)
    return row


def account_status(world: World, account: Row, crm_words: Mapping[str, str]) -> str:
    """By the subscriptions in force, else by what was once paid, else by the CRM's word."""
    own = _own(world, "invoices.subscriptions", account["account_id"])
    spans = [
        (phase, subscription, start, end)
        for subscription in own
        for phase, start, end in phases(subscription, world.instant)
        if start < world.instant and (end is None or start < end)
    ]
    in_force = [s for s in spans if s[3] is None or s[3] >= world.instant]
    paying = [s[1] for s in in_force if s[0] == "paid"]
    if any((s.get("status") or "").lower() == "past_due" for s in paying):
        return "past_due"
    if paying:
        return "customer"
    if in_force:
        return "trial"
    if any(s[0] == "paid" for s in spans):
        return "churned"
    return crm_words.get((account.get("status") or "").lower(), "lead")


def _mrr(world: World, account: Row) -> Any:
    segments = item_segments(
        [account],
        _own(world, "invoices.subscriptions", account["account_id"]),
        world.tables["invoices.subscription_items"],
        world.instant,
        currency="USD",
    )
    paid = [s for s in segments if s.phase == "paid"]
    return sum((s.amount for s in paid if s.holds_just_before(world.instant)), ZERO)


def _use(world: World, account_id: str) -> dict[str, Any]:
    internal = {
        (u["account_id"], u["user_id"])
        for u in world.tables["events.users"]
        if u.get("is_internal")
    }
    own = [
        (local_day(e["occurred_at"], world.zone), e)
        for e in world.events
        if e["account_id"] == account_id and (account_id, e.get("user_id")) not in internal
    ]
    acts = [(day, e) for day, e in own if e["event_type"] not in NON_ACTIVITY]
    recent = [(day, e) for day, e in acts if day > world.day - 30 * ONE_DAY]
    uses = [(day, e) for day, e in own if e["event_type"] == "use"]
    now = [e for day, e in uses if day > world.day - 30 * ONE_DAY]
    prior = [e for day, e in uses if -60 * ONE_DAY < day - world.day <= -30 * ONE_DAY]
    mau = len({e["user_id"] for _, e in recent if e.get("user_id") is not None})
    registered = len(_registered(world, account_id, own))
    count, count_before = _quantity(now), _quantity(prior)
    last = max((day for day, _ in acts), default=None)
    return {
        "registered_users_30d": registered,
        "mau": mau,
        "active_user_ratio": Fraction(mau, registered) if registered else None,
        "active_days_30d": len({day for day, _ in recent}),
        "use_count_30d": count,
        "use_count_prior_30d": count_before,
        "use_count_change_ratio": Fraction(count, count_before) - 1 if count_before else None,
        "modules_used_30d": len({e["module"] for e in now if e.get("module") is not None}),
        "days_since_last_activity": None if last is None else (world.day - last).days,
    }


def _quantity(events: Sequence[Row]) -> int:
    return sum(1 if e.get("quantity") is None else e["quantity"] for e in events)


def _registered(world: World, account_id: str, events: Sequence[tuple[date, Row]]) -> set[str]:
    """Users who were registered in the 30 days that end with the world's day."""
    first_day = world.day - 29 * ONE_DAY
    people = {u["user_id"]: u for u in _own(world, "events.users", account_id)}
    seen = {e["user_id"] for _, e in events if e.get("user_id") is not None}
    found = set()
    for user in {*people, *seen}:
        row: Row = people.get(user, {})
        days = [day for day, e in events if e.get("user_id") == user]
        if any(day >= first_day for day in days):
            found.add(user)
        elif not row.get("is_internal") and (days or row.get("created_at") is not None):
            gone = _gone_on(row, world)
            if gone is None or gone >= first_day:
                found.add(user)
    return found


def _gone_on(user: Row, world: World) -> date | None:
    """The day on which a user was deactivated, or disappeared from the extract."""
    instants = [user.get("deactivated_at"), user.get("gone_at")]
    happened = [at for at in instants if at is not None and at < world.instant]
    return local_day(min(happened), world.zone) if happened else None


def _tickets(world: World, account_id: str) -> dict[str, Any]:
    found = [t for t in _own(world, "tickets.tickets", account_id) if is_open(t, world.instant)]
    urgent = [
        t for t in found if (t.get("priority") or "").lower() == "urgent" or t.get("is_escalated")
    ]
    return {"open_tickets": len(found), "urgent_open_tickets": len(urgent)}


def is_open(ticket: Row, instant: datetime) -> bool:
    """Whether a ticket that counts is open just before an instant; solved or resolved ends it."""
    if ticket.get("is_spam") or ticket.get("is_deleted") or ticket.get("merged_into_ticket_id"):
        return False
    gone = ticket.get("gone_at")
    if gone is not None and gone < instant:
        return False
    word = (ticket.get("status") or "").lower()
    if word in OPEN_WORDS:
        return True
    ends = [at for at in (ticket.get("solved_at"), ticket.get("closed_at")) if at is not None]
    if ends:
        happened = [at for at in ends if at < instant]
        return not happened
    if word not in SOLVED_WORDS:
        return True
    end: datetime = ticket.get("updated_at") or ticket["created_at"]
    return end >= instant


def _own(world: World, table: str, account_id: str) -> list[Row]:
    return [row for row in world.tables[table] if row["account_id"] == account_id]


def first_day_known(known: Known, account_id: str, instant: datetime) -> date:
    """The account's first day as known at an instant: its creation, or a row dated earlier."""
    world = known.at(instant)
    instants = [e["occurred_at"] for e in world.events if e["account_id"] == account_id]
    for table in ("crm.accounts", "events.users", "invoices.subscriptions", "tickets.tickets"):
        dates = [row.get(DATED_BY[table]) for row in _own(world, table, account_id)]
        instants += [at for at in dates if at is not None]
    return local_day(min(instants), known.zone)


def deliveries_known(known: Known, instant: datetime) -> list[Row]:
    """The deliveries whose rows were known at an instant."""
    return [d for d in known.deliveries if d["known_at"] is None or d["known_at"] <= instant]


def watermark_on(known: Known, source: str, day: date) -> date | None:
    """The last day whose data the source had delivered, as known at the end of `day`."""
    instant = first_instant(day + ONE_DAY, known.zone)
    reached = [
        d["dt"] or local_day(d["watermark_at"], known.zone)
        for d in deliveries_known(known, instant)
        if d["source"] == source
    ]
    return min(max(reached), day) if reached else None
