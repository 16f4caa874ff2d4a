"""Activity once more, in plain Python, from the rows that landed; shares no code with the product.

Slow and simple on purpose: every day of every account goes over all of its events. Source of
every rule: the project's spec 30 (usage) and spec 00 (time, words). Days are those of `zone`, UTC
if nobody says; time is counted in whole microseconds and divided once.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from fractions import Fraction
from typing import Any

Row = Mapping[str, Any]
Actor = tuple[str, str]

NON_ACTIVITY = {"heartbeat", "identify"}
SESSION_GAP = 30 * 60 * 1_000_000
SESSION_CAP = 12 * 60 * 60 * 1_000_000
SECOND = 1_000_000
NO_MODULE = "(none)"
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One event that counts, with the session it is in and the time that it opens."""

    event_id: str
    account_id: str
    actor: Actor
    user_id: str | None
    at: datetime
    day: date
    kind: str
    module: str
    quantity: int
    session: tuple[Actor, date, str]
    opens_session: bool
    microseconds: int

    @property
    def is_activity(self) -> bool:
        """Whether somebody who did this was active."""
        return self.kind not in NON_ACTIVITY


@dataclass(frozen=True, kw_only=True)
class Registration:
    """Since when a user counts as registered, and until when; None for not, or not yet."""

    account_id: str
    user_id: str
    since: date | None
    deactivated_on: date | None
    event_days: frozenset[date]

    def counts(self, first_day: date, last_day: date) -> bool:
        """Whether the user is registered in the window of these full days."""
        if any(first_day <= day <= last_day for day in self.event_days):
            return True
        if self.since is None or self.since > last_day:
            return False
        return self.deactivated_on is None or self.deactivated_on >= first_day


def account_activity_daily(
    accounts: Sequence[Row],
    users: Sequence[Row],
    events: Sequence[Row],
    as_of: datetime,
    *,
    other_dated: Iterable[tuple[str, datetime]] = (),
    zone: tzinfo = UTC,
) -> list[dict[str, Any]]:
    """The rows of `fct_account_activity_daily`, ordered by account and day.

    Args:
        accounts: canonical rows of crm.accounts.
        users: canonical rows of events.users, one per user.
        events: canonical rows of events.events, each id once.
        as_of: the as-of instant; the last row of an account is that of the last full day before.
        other_dated: (account, instant) of the dated rows of other tables, which can be an
            account's first.
        zone: the reporting time zone.
    """
    events = identified(events, users, as_of, zone)
    known = [row for row in accounts if row["created_at"] < as_of and not row.get("is_test")]
    everyone = registrations(known, users, events, as_of, zone)
    moments = counted_moments(known, users, events, as_of, zone)
    infers = not any(e["event_type"] == "login" and e["occurred_at"] < as_of for e in events)
    rows = []
    for account in sorted(known, key=lambda row: str(row["account_id"])):
        name = account["account_id"]
        own = [m for m in moments if m.account_id == name]
        people = [r for r in everyone if r.account_id == name]
        dated = [*_dated(name, users, events), *(at for a, at in other_dated if a == name)]
        day = local_day(min([account["created_at"], *(at for at in dated if at < as_of)]), zone)
        while day < local_day(as_of, zone):
            row = account_day(day, own, people, infers=infers)
            created = local_day(account["created_at"], zone)
            rows.append({"account_id": name, **row, "is_before_creation": day < created})
            day += ONE_DAY
    return rows


def _dated(account_id: str, users: Sequence[Row], events: Sequence[Row]) -> list[datetime]:
    """The instants that date the account's rows of use."""
    found = [row["occurred_at"] for row in events if row["account_id"] == account_id]
    found += [row.get("created_at") for row in users if row["account_id"] == account_id]
    return [at for at in found if at is not None]


def account_day(
    day: date, moments: Sequence[Moment], people: Sequence[Registration], *, infers: bool
) -> dict[str, Any]:
    """One account's day, the account's own columns aside."""
    today = [m for m in moments if m.day == day]
    dau = len(_active_users(moments, day, 1))
    total = sum(m.microseconds for m in today)
    identified = sum(m.microseconds for m in today if m.user_id is not None)
    lengths = _session_lengths(today)
    visitors = {m.actor for m in today if m.actor[0] == "anonymous" and m.is_activity}
    logins = [m for m in moments if m.day <= day and _is_login(m, infers=infers)]
    acts = [m.at for m in moments if m.day <= day and m.is_activity]
    return {
        "day": day,
        "dau": dau,
        "wau": len(_active_users(moments, day, 7)),
        "mau": len(_active_users(moments, day, 30)),
        "registered_users": sum(p.counts(day, day) for p in people),
        "registered_users_30d": sum(p.counts(day - 29 * ONE_DAY, day) for p in people),
        "active_seconds": Fraction(total, SECOND),
        "identified_active_seconds": Fraction(identified, SECOND),
        "time_per_active_user": Fraction(identified, SECOND * dau) if dau else None,
        "logins": sum(1 if infers else m.quantity for m in logins if m.day == day),
        "sessions": len(lengths),
        "mean_session_length": Fraction(sum(lengths), SECOND * len(lengths)) if lengths else None,
        "median_session_length": _median(lengths),
        "errors": sum(m.quantity for m in today if m.kind == "error"),
        "anonymous_users": len(visitors),
        "identified_user_ratio": _ratio(dau, dau + len(visitors)),
        "login_is_inferred": infers,
        "last_login_at": max((m.at for m in logins), default=None),
        "last_activity_at": max(acts, default=None),
    }


def _is_login(moment: Moment, *, infers: bool) -> bool:
    return moment.opens_session if infers else moment.kind == "login"


def _active_users(moments: Sequence[Moment], day: date, days: int) -> set[str]:
    """The identified users who were active in the `days` days that end with `day`."""
    first = day - (days - 1) * ONE_DAY
    return {
        m.user_id
        for m in moments
        if m.user_id is not None and m.is_activity and first <= m.day <= day
    }


def _session_lengths(moments: Sequence[Moment]) -> list[int]:
    lengths: dict[tuple[Actor, date, str], int] = defaultdict(int)
    for moment in moments:
        lengths[moment.session] += moment.microseconds
    return sorted(lengths.values())


def _median(lengths: Sequence[int]) -> Fraction | None:
    """The middle one, or the mean of the two in the middle; in seconds."""
    if not lengths:
        return None
    low, high = lengths[(len(lengths) - 1) // 2], lengths[len(lengths) // 2]
    return Fraction(low + high, 2 * SECOND)


def _ratio(part: int | Fraction, whole: int | Fraction) -> Fraction | None:
    return None if whole == 0 else Fraction(part) / Fraction(whole)


def registrations(
    accounts: Sequence[Row],
    users: Sequence[Row],
    events: Sequence[Row],
    as_of: datetime,
    zone: tzinfo = UTC,
) -> list[Registration]:
    """Every product user who ever counts: of `users`, or of an event that names a new one."""
    names = {row["account_id"] for row in accounts}
    rows = {(u["account_id"], u["user_id"]): u for u in users if _is_dated_before(u, as_of)}
    seen: dict[tuple[str, str], list[datetime]] = defaultdict(list)
    for event in events:
        if event.get("user_id") is not None and event["occurred_at"] < as_of:
            seen[event["account_id"], event["user_id"]].append(event["occurred_at"])
    found = []
    for key in sorted({*rows, *seen}):
        row = rows.get(key, {})
        if key[0] not in names or row.get("is_internal"):
            continue
        instants = [*seen[key], *([row["created_at"]] if row.get("created_at") else [])]
        gone = row.get("deactivated_at")
        found.append(
            Registration(
                account_id=key[0],
                user_id=key[1],
                since=local_day(min(instants), zone) if instants else None,
                deactivated_on=local_day(gone, zone) if gone is not None and gone < as_of else None,
                event_days=frozenset(local_day(at, zone) for at in seen[key]),
            )
        )
    return found


def _is_dated_before(user: Row, as_of: datetime) -> bool:
    """Whether the user's row is dated before as-of; a row without a date is always there."""
    created = user.get("created_at")
    return created is None or created < as_of


def counted_moments(
    accounts: Sequence[Row],
    users: Sequence[Row],
    events: Sequence[Row],
    as_of: datetime,
    zone: tzinfo = UTC,
) -> list[Moment]:
    """Every event that counts, in its session: of a known account, of nobody internal."""
    names = {row["account_id"] for row in accounts}
    internal = {
        (u["account_id"], u["user_id"])
        for u in users
        if u.get("is_internal") and _is_dated_before(u, as_of)
    }
    visits: dict[tuple[str, Actor, date], list[Row]] = defaultdict(list)
    for event in events:
        key = (event["account_id"], event.get("user_id"))
        if event["occurred_at"] < as_of and key[0] in names and key not in internal:
            day = local_day(event["occurred_at"], zone)
            visits[event["account_id"], actor_of(event), day].append(event)
    moments = []
    for (_, actor, day), own in visits.items():
        for label, session in split_sessions(own):
            moments.extend(_timed(actor, (actor, day, label), session))
    return moments


def actor_of(event: Row) -> Actor:
    """Who did it: a user, else an anonymous visitor, else the account's one nameless actor."""
    if event.get("user_id") is not None:
        return ("user", event["user_id"])
    if event.get("anonymous_id") is not None:
        return ("anonymous", event["anonymous_id"])
    return ("nameless", "")


def identified(
    events: Sequence[Row], users: Sequence[Row], as_of: datetime, zone: tzinfo = UTC
) -> list[Row]:
    """The events, each anonymous one under the user that its visitor is found to be in 30 days.

    An event that names an anonymous id and a user (no internal one) identifies the one as the
    other, within the account. Of those at or after an event the one that was known first decides,
    and of those that became known on one day the first.
    """
    internal = {
        (u["account_id"], u["user_id"])
        for u in users
        if u.get("is_internal") and _is_dated_before(u, as_of)
    }
    found: dict[tuple[str, str], list[tuple[date, datetime, str]]] = defaultdict(list)
    for event in events:
        user, visitor, at = event.get("user_id"), event.get("anonymous_id"), event["occurred_at"]
        if visitor is None or user is None or (event["account_id"], user) in internal:
            continue
        if at < as_of:
            found[event["account_id"], visitor].append((_first_day(event, zone), at, user))
    return [_identified(event, found) for event in events]


def _first_day(event: Row, zone: tzinfo) -> date:
    """The first day whose row may use the event: its own, or the one on which it was known."""
    day, known = local_day(event["occurred_at"], zone), event.get("_known_at")
    return day if known is None else max(day, local_day(known - timedelta(microseconds=1), zone))


def _identified(
    event: Row, found: Mapping[tuple[str, str], Sequence[tuple[date, datetime, str]]]
) -> Row:
    visitor, at = event.get("anonymous_id"), event["occurred_at"]
    if event.get("user_id") is not None or visitor is None:
        return event
    last = at + timedelta(days=30)
    later = [one for one in found.get((event["account_id"], visitor), ()) if at <= one[1] <= last]
    return {**event, "user_id": min(later)[2]} if later else event


def split_sessions(events: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    """The sessions of one actor and day, each with a label of its own, events in order.

    A source's own session id keeps its events together; the others start a new session after 30
    minutes or more without one of them.
    """
    ordered = sorted(events, key=lambda e: (e["occurred_at"], e["event_id"]))
    sessions: dict[str, list[Row]] = defaultdict(list)
    number, previous = 0, None
    for event in ordered:
        if event.get("session_id") is not None:
            sessions[f"source {event['session_id']}"].append(event)
            continue
        at = micros(event["occurred_at"])
        if previous is not None and at - previous >= SESSION_GAP:
            number += 1
        previous = at
        sessions[f"ours {number}"].append(event)
    return list(sessions.items())


def _timed(actor: Actor, session: tuple[Actor, date, str], events: Sequence[Row]) -> list[Moment]:
    """The events of one session, each with the time that it opens; 12 hours in all at most."""
    moments = []
    spent = 0
    for place, event in enumerate(events):
        following = events[place + 1] if place + 1 < len(events) else None
        opened = min(_opened(event, following), SESSION_CAP - spent)
        spent += opened
        moments.append(
            Moment(
                event_id=event["event_id"],
                account_id=event["account_id"],
                actor=actor,
                user_id=event.get("user_id"),
                at=event["occurred_at"],
                day=session[1],
                kind=event["event_type"],
                module=NO_MODULE if event.get("module") is None else event["module"],
                quantity=1 if event.get("quantity") is None else event["quantity"],
                session=session,
                opens_session=place == 0,
                microseconds=opened,
            )
        )
    return moments


def _opened(event: Row, following: Row | None) -> int:
    """An event's own duration (0 to 12 hours), else the gap to the next one; the last has 0."""
    duration = event.get("duration_seconds")
    if duration is not None:
        exact = Fraction(str(duration)) * SECOND
        return int(min(max(exact, Fraction(0)), Fraction(SESSION_CAP)))
    if following is None:
        return 0
    return micros(following["occurred_at"]) - micros(event["occurred_at"])


def account_module_usage(
    accounts: Sequence[Row],
    users: Sequence[Row],
    events: Sequence[Row],
    as_of: datetime,
    *,
    zone: tzinfo = UTC,
) -> list[dict[str, Any]]:
    """The rows of `account_module_usage`, peers aside: every module with a use or with time, ever.

    `(none)` holds what names no module, so that the modules add up to the account; it has no rank.
    A module is used by an event of type `use`; its time is the time of all its events.
    """
    events = identified(events, users, as_of, zone)
    known = [row for row in accounts if row["created_at"] < as_of and not row.get("is_test")]
    everyone = registrations(known, users, events, as_of, zone)
    last = local_day(as_of, zone) - ONE_DAY
    moments = [m for m in counted_moments(known, users, events, as_of, zone) if m.day <= last]
    rows = []
    for account in sorted(known, key=lambda row: str(row["account_id"])):
        name = account["account_id"]
        own = [m for m in moments if m.account_id == name]
        people = [r for r in everyone if r.account_id == name]
        registered = sum(p.counts(last - 29 * ONE_DAY, last) for p in people)
        modules = sorted({m.module for m in own if m.kind == "use" or m.microseconds > 0})
        found = [
            {"account_id": name, **module_usage(module, own, registered, last)}
            for module in modules
        ]
        rows.extend(_ranked(found))
    return rows


def module_usage(
    module: str, moments: Sequence[Moment], registered: int, last: date
) -> dict[str, Any]:
    """One account's module over the 30 days that end with `last`, and the 30 days before."""
    ever = [m for m in moments if m.module == module]
    now = [m for m in ever if last - 30 * ONE_DAY < m.day <= last]
    before = [m for m in ever if last - 60 * ONE_DAY < m.day <= last - 30 * ONE_DAY]
    uses = [m for m in now if m.kind == "use"]
    users = {m.user_id for m in uses if m.user_id is not None}
    seconds, prior = _seconds(now), _seconds(before)
    count, prior_count = _count(now), _count(before)
    return {
        "module": module,
        "total_seconds": seconds,
        "total_count": count,
        "days_used": len({m.day for m in uses}),
        "users": len(users),
        "non_users": registered - len(users),
        "registered_users_30d": registered,
        "anonymous_users": len({m.actor for m in uses if m.actor[0] == "anonymous"}),
        "adoption_rate": _ratio(len(users), registered),
        **_per_user_day(now),
        "last_used_on": max((m.day for m in ever if m.kind == "use"), default=None),
        "prior_total_seconds": prior,
        "prior_total_count": prior_count,
        "prior_users": len(
            {m.user_id for m in before if m.kind == "use" and m.user_id is not None}
        ),
        "total_seconds_change_ratio": _ratio(seconds - prior, prior),
        "total_count_change_ratio": _ratio(count - prior_count, prior_count),
    }


def _seconds(moments: Iterable[Moment]) -> Fraction:
    return Fraction(sum(m.microseconds for m in moments), SECOND)


def _count(moments: Iterable[Moment]) -> int:
    return sum(m.quantity for m in moments if m.kind == "use")


def _per_user_day(moments: Sequence[Moment]) -> dict[str, Any]:
    """The formula, and the plain mean over user-days, of identified users who used the module.

    The formula gives every used day the same weight, the mean every user-day.
    """
    by_day: dict[date, dict[str, list[Moment]]] = defaultdict(lambda: defaultdict(list))
    for moment in moments:
        if moment.user_id is not None:
            by_day[moment.day][moment.user_id].append(moment)
    seconds, counts = Fraction(0), Fraction(0)
    total_seconds, total_count, user_days, days = Fraction(0), 0, 0, 0
    for people in by_day.values():
        used = [own for own in people.values() if any(m.kind == "use" for m in own)]
        if not used:
            continue
        day_seconds = sum((_seconds(own) for own in used), Fraction(0))
        day_count = sum(_count(own) for own in used)
        seconds += day_seconds / len(used)
        counts += Fraction(day_count, len(used))
        total_seconds, total_count = total_seconds + day_seconds, total_count + day_count
        user_days, days = user_days + len(used), days + 1
    return {
        "time_per_user_per_day_used": _ratio(seconds, days),
        "count_per_user_per_day_used": _ratio(counts, days),
        "avg_seconds_per_user_day": _ratio(total_seconds, user_days),
        "avg_count_per_user_day": _ratio(total_count, user_days),
        "user_days": user_days,
    }


def _ranked(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The account's modules with their rank by time, ties by name; `(none)` has none."""
    named = [row for row in rows if row["module"] != NO_MODULE]
    named.sort(key=lambda row: (-row["total_seconds"], row["module"]))
    ranks = {row["module"]: rank for rank, row in enumerate(named, start=1)}
    return [row | {"rank": ranks.get(row["module"])} for row in rows]


def micros(instant: datetime) -> int:
    """Whole microseconds since 1970, without a detour over floating point."""
    return (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def local_day(instant: datetime, zone: tzinfo) -> date:
    """The day that an instant falls on, in a time zone."""
    return instant.astimezone(zone).date()
