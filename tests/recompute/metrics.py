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

from tests.recompute import account_measures as measures
from tests.recompute.account_measures import Account, ratio
from tests.recompute.activity import identified
from tests.recompute.deliveries import Folders
from tests.recompute.merges import (
    events_of_survivors,
    of_survivors,
    standing,
    survivors,
    users_of_survivors,
)
from tests.recompute.revenue import ZERO, first_instant, item_segments, local_day, phases
from tests.recompute.ticket_days import state_before

Row = Mapping[str, Any]

NON_ACTIVITY = {"heartbeat", "identify"}
ONE_DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)
KEYS = {
    "crm.accounts": ("account_id",),
    "crm.account_merges": ("from_account_id",),
    "crm.contacts": ("contact_id",),
    "crm.interactions": ("interaction_id",),
    "crm.tasks": ("task_id",),
    "crm.goals": ("goal_id",),
    "crm.deals": ("deal_id",),
    "crm.nps_responses": ("response_id",),
    "crm.licenses": ("license_id",),
    "crm.license_assignments": ("license_id", "user_id", "assigned_at"),
    "events.users": ("account_id", "user_id"),
    "invoices.subscriptions": ("subscription_id",),
    "invoices.subscription_items": ("item_id", "valid_from"),
    "invoices.invoices": ("invoice_id",),
    "invoices.payments": ("payment_id",),
    "invoices.credit_notes": ("credit_note_id",),
    "tickets.tickets": ("ticket_id",),
}
DATED_BY = {
    "crm.accounts": "created_at",
    "crm.account_merges": "merged_at",
    "crm.contacts": "created_at",
    "crm.interactions": "occurred_at",
    "crm.tasks": "created_at",
    "crm.goals": "created_at",
    "crm.deals": "created_at",
    "crm.nps_responses": "submitted_at",
    "crm.licenses": "started_at",
    "crm.license_assignments": "assigned_at",
    "events.users": "created_at",
    "invoices.subscriptions": "started_at",
    "invoices.subscription_items": "valid_from",
    "invoices.invoices": "created_at",
    "invoices.payments": "paid_at",
    "invoices.credit_notes": "issued_at",
    "tickets.tickets": "created_at",
}
UNDER_SURVIVORS = tuple(
    KEYS.keys()
    - {
        "crm.accounts",
        "crm.account_merges",
        "crm.license_assignments",
        "events.users",
        "invoices.subscription_items",
    }
)


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
    for name in UNDER_SURVIVORS:
        tables[name] = of_survivors(tables[name], who)
    # Of a ticket's history a change to come tells what was before it.
    tables["tickets.ticket_changes"] = [
        row for row in known.tables.get("tickets.ticket_changes", ()) if _is_known(row, instant)
    ]
    events = identified(
        events_of_survivors(events, who, merges), tables["events.users"], instant, known.zone
    )
    return World(instant=instant, zone=known.zone, events=events, tables=tables)


def known_at_once(landed: Folders, as_of: datetime) -> Folders:
    """The landing as if everything had been known when it happened: what restated rows are of.

    Who an anonymous visitor was is what is known of them by then.
    """
    events = world_at(Known(tables=landed.tables, deliveries=(), crm_words={}), as_of).events
    tables = {n: [{**row, "_known_at": None} for row in rows] for n, rows in landed.tables.items()}
    tables["events.events"] = [{**e, "_known_at": None, "anonymous_id": None} for e in events]
    return Folders(tables=tables, deliveries=[{**d, "known_at": None} for d in landed.deliveries])


def told_again(landed: Folders, instant: datetime) -> Folders:
    """The landing with one more full extract of every table, in which nothing is new."""
    tables = dict(landed.tables)
    for name in KEYS.keys() & tables.keys() - {"events.events"}:
        latest: dict[tuple[Any, ...], Row] = {}
        for _, row in sorted(enumerate(tables[name]), key=_version_order):
            if _is_known(row, instant):
                latest[tuple(row[column] for column in KEYS[name])] = row
        again = {"_known_at": instant, "_load_order": instant.isoformat()}
        there = [row for row in latest.values() if not row.get("_is_deleted")]
        tables[name] = [*tables[name], *({**row, **again} for row in there)]
    return Folders(tables=tables, deliveries=landed.deliveries)


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
        landed = set[str]()
        for delivery in deliveries_known(known, world.instant):
            source = delivery["source"]
            landed |= {source, f"{source}.{delivery['table_name']}"}
        for account in world.tables["crm.accounts"]:
            if account["account_id"] not in tests:
                rows.append(_account_day(world, account, landed, known.crm_words))
    return with_past_due_days(rows)


def with_past_due_days(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows, in the order of their days, with how long the account has been past due."""
    running: dict[str, int] = {}
    for row in rows:
        name = row["account_id"]
        is_past_due = row["account_status"] == "past_due"
        running[name] = running.get(name, 0) + 1 if is_past_due else 0
        row["past_due_days"] = None if row["mrr"] is None else running[name]
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
    people = _people(world, name)
    own = Account(
        name=name,
        instant=world.instant,
        zone=world.zone,
        tables=world.tables,
        active_users=frozenset(people.active(30)),
        internal_users=frozenset(user for where, user in people.internal if where == name),
    )
    row: dict[str, Any] = {
        "account_id": name,
        "day": world.day,
        "account_status": account_status(world, account, crm_words),
    }
    use = people.measures()
    tickets = _tickets(world, name)
    users = use["registered_users_30d"] if "events" in landed else None
    tickets["tickets_per_user_ratio"] = ratio(tickets["tickets_opened_30d"], users)
    for origin, counted in (
        ("invoices", _money(world, account) | measures.contract(own)),
        ("invoices.invoices", measures.invoices(own)),
        ("events", use),
        ("tickets", tickets),
        ("crm", {"tenure_days": _tenure(world, account)}),
        ("crm.licenses", measures.licenses(own)),
        ("crm.license_assignments", measures.seats(own)),
        ("crm.interactions", measures.talks(own)),
        ("crm.contacts", measures.contacts(own)),
        ("crm.tasks", measures.tasks(own)),
        ("crm.goals", measures.goals(own)),
        ("crm.deals", measures.deals(own)),
        ("crm.nps_responses", measures.answers(own)),
    ):
        row |= counted if origin in landed else dict.fromkeys(counted)
    return row


def _tenure(world: World, account: Row) -> int:
    """Days since the first trial or paid day, else since the account's creation."""
    own = _own(world, "invoices.subscriptions", account["account_id"])
    starts = [
        start
        for subscription in own
        for _, start, end in phases(subscription, world.instant)
        if start < world.instant and (end is None or start < end)
    ]
    since = min(starts, default=account["created_at"])
    return max((world.day - local_day(since, world.zone)).days, 0)


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


def _money(world: World, account: Row) -> dict[str, Any]:
    segments = item_segments(
        [account],
        _own(world, "invoices.subscriptions", account["account_id"]),
        world.tables["invoices.subscription_items"],
        world.instant,
        currency="USD",
    )
    paid = [s for s in segments if s.phase == "paid"]
    now, before = (
        sum((s.amount for s in paid if s.holds_just_before(world.instant - ago)), ZERO)
        for ago in (timedelta(), 30 * ONE_DAY)
    )
    return {
        "mrr": now,
        "arr": 12 * now,
        "mrr_30_days_before": before,
        "mrr_change_30d_ratio": Fraction(now) / Fraction(before) - 1 if before else None,
    }


@dataclass(frozen=True, kw_only=True)
class _People:
    """Who did what in an account, day by day, those of our own company left out."""

    world: World
    account_id: str
    internal: frozenset[tuple[str, str]]
    events: Sequence[tuple[date, Row]]

    def last(self, days: int, before: int = 0) -> list[tuple[date, Row]]:
        """The events of so many days, that many days ago."""
        end = self.world.day - before * ONE_DAY
        return [(day, e) for day, e in self.events if end - days * ONE_DAY < day <= end]

    def active(self, days: int) -> set[str]:
        """Identified users who were active."""
        return {e["user_id"] for _, e in _acts(self.last(days)) if e.get("user_id") is not None}

    def uses(self, days: int, before: int = 0) -> int:
        return _quantity([e for _, e in self.last(days, before) if e["event_type"] == "use"])

    def since(self, kinds: set[str] | None) -> int | None:
        """Days since the last event of these kinds, or since the last activity."""
        days = [d for d, e in (self.events if kinds else _acts(self.events)) if _is(e, kinds)]
        return (self.world.day - max(days)).days if days else None

    def measures(self) -> dict[str, Any]:
        month = self.last(30)
        used = [e for _, e in month if e["event_type"] == "use" and e.get("feature") is not None]
        user_days = {(d, e["user_id"]) for d, e in _acts(month) if e.get("user_id") is not None}
        registered, mau = (
            len(_registered(self.world, self.account_id, self.events)),
            self.active(30),
        )
        inactive = self.since(None)
        logged_out = self.since({"login"})
        return {
            "registered_users_30d": registered,
            "dau": len(self.active(1)),
            "wau": len(self.active(7)),
            "mau": len(mau),
            "active_user_ratio": ratio(len(mau), registered),
            "active_user_days_30d": len(user_days),
            "stickiness_ratio": ratio(len(user_days), 30 * len(mau)),
            "active_days_7d": len({day for day, _ in _acts(self.last(7))}),
            "active_days_30d": len({day for day, _ in _acts(month)}),
            "use_count_7d": self.uses(7),
            "use_count_prior_7d": self.uses(7, 7),
            "use_count_change_7d_ratio": _change(self.uses(7), self.uses(7, 7)),
            "use_count_30d": self.uses(30),
            "use_count_prior_30d": self.uses(30, 30),
            "use_count_change_ratio": _change(self.uses(30), self.uses(30, 30)),
            "modules_used_30d": len(
                {
                    e["module"]
                    for _, e in month
                    if e["event_type"] == "use" and e.get("module") is not None
                }
            ),
            "features_used_30d": len({(e.get("module"), e["feature"]) for e in used}),
            "error_count_30d": _quantity([e for _, e in month if e["event_type"] == "error"]),
            "days_since_last_login": inactive if logged_out is None else logged_out,
            "days_since_last_activity": inactive,
        }


def _is(event: Row, kinds: set[str] | None) -> bool:
    return kinds is None or event["event_type"] in kinds


def _change(now: int, before: int) -> Fraction | None:
    return Fraction(now, before) - 1 if before else None


def _acts(events: Sequence[tuple[date, Row]]) -> list[tuple[date, Row]]:
    return [(day, e) for day, e in events if e["event_type"] not in NON_ACTIVITY]


def _people(world: World, account_id: str) -> _People:
    internal = frozenset(
        (u["account_id"], u["user_id"])
        for u in world.tables["events.users"]
        if u.get("is_internal")
    )
    own = [
        (local_day(e["occurred_at"], world.zone), e)
        for e in world.events
        if e["account_id"] == account_id and (account_id, e.get("user_id")) not in internal
    ]
    return _People(world=world, account_id=account_id, internal=internal, events=own)


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
    changes: dict[str, list[Row]] = {}
    for change in world.tables["tickets.ticket_changes"]:
        changes.setdefault(change["ticket_id"], []).append(change)
    told = [
        (t, state_before(t, changes.get(t["ticket_id"], ()), world.instant))
        for t in _own(world, "tickets.tickets", account_id)
        if _counts(t)
    ]
    found = [(t, state) for t, state in told if state.is_open]
    ages = [(world.day - local_day(t["created_at"], world.zone)).days for t, _ in found]
    solved = [
        (local_day(state.solved_at, world.zone), t)
        for t, state in told
        if state.solved_at is not None and state.solved_at != t.get("gone_at")
    ]
    scores = [
        Fraction(t["satisfaction_score"])
        for solved_on, t in solved
        if solved_on > world.day - 90 * ONE_DAY and _is_number(t.get("satisfaction_score"))
    ]
    urgent = [t for t, state in found if state.priority == "urgent" or t.get("is_escalated")]
    start = world.day - 30 * ONE_DAY
    return {
        "open_tickets": len(found),
        "urgent_open_tickets": len(urgent),
        "escalated_open_tickets": len([t for t, _ in found if t.get("is_escalated")]),
        "oldest_open_ticket_days": max(ages, default=0),
        "tickets_opened_30d": len(
            [t for t, _ in told if local_day(t["created_at"], world.zone) > start]
        ),
        "tickets_solved_30d": len([t for solved_on, t in solved if solved_on > start]),
        "satisfaction_answers_90d": len(scores),
        "satisfaction_90d": ratio(sum(scores, Fraction(0)), len(scores)),
    }


def _is_number(text: str | None) -> bool:
    return text is not None and text.replace(".", "", 1).isdigit()


def _counts(ticket: Row) -> bool:
    return not (
        ticket.get("is_spam") or ticket.get("is_deleted") or ticket.get("merged_into_ticket_id")
    )


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
