"""Licences and their seats once more, in plain Python; no code of the product.

Source: the project's spec 30 ("Licence status", `account_licenses`, `fct_licenses_daily`). A daily
row shows the state in force on its day, a snapshot that at the as-of instant.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from tests.recompute.activity import ONE_DAY
from tests.recompute.usage_facts import Facts, Row, days_between, in_window, ratio, users_of

FOREVER = date(9999, 1, 1)


@dataclass(frozen=True, kw_only=True)
class Seat:
    """A run of days at whose end a user holds a seat, since the instant that it was given."""

    license_id: str
    user_id: str
    since: datetime
    first: date
    last: date


@dataclass(frozen=True, kw_only=True)
class License:
    """A licence as the source tells of it, with the days that its words mean."""

    row: Row
    started_on: date
    suspended_on: date | None
    expires_on: date | None

    @property
    def name(self) -> str:
        return str(self.row["license_id"])

    @property
    def is_trial(self) -> bool:
        return bool(self.row["is_trial"]) or self.word in ("trial", "trialing")

    @property
    def word(self) -> str:
        return (self.row["status"] or "").lower()

    @property
    def limit(self) -> int | None:
        """Seats that were bought, where they are counted."""
        return None if self.row["is_unlimited"] else self.row["seats_purchased"]

    def status(self, suspended_by: date, expired_by: date) -> str:
        """By precedence: suspended on or before a day, over before another one."""
        if self.suspended_on is not None and self.suspended_on <= suspended_by:
            return "Suspended"
        if self.expires_on is not None and self.expires_on < expired_by:
            return "Expired"
        return "Trial" if self.is_trial else "Active"


def licenses(facts: Facts) -> list[License]:
    """Every licence that had begun, of an account that counts."""
    return [
        _dated(row, facts)
        for row in facts.world.licenses
        if row["started_at"] < facts.as_of and row["account_id"] in facts.names
    ]


def _dated(row: Row, facts: Facts) -> License:
    started = facts.day_of(row["started_at"])
    said = facts.day_of(row["updated_at"]) if row["updated_at"] is not None else started
    word = (row["status"] or "").lower()
    at = row["suspended_at"] if (row["suspended_at"] or facts.as_of) < facts.as_of else None
    will_be = row["suspended_at"] is not None and at is None
    suspended = facts.day_of(at) if at is not None else None
    if suspended is None and word == "suspended" and not will_be:
        suspended = said
    ends = [row["expires_on"], said - ONE_DAY if word in ("expired", "cancelled") else None]
    return License(
        row=row,
        started_on=started,
        suspended_on=suspended,
        expires_on=min((end for end in ends if end is not None), default=None),
    )


def seats(facts: Facts) -> list[Seat]:
    """The runs of days that seats are held; what is held still has no end."""
    rows = [_held(row, facts) for row in facts.world.assignments if _was_given(row, facts)]
    found: list[Seat] = []
    for seat in sorted(rows, key=lambda s: (s.license_id, s.user_id, s.first, s.last)):
        before = found[-1] if found else None
        if seat.first > seat.last:
            continue
        if before and _continues(before, seat):
            found[-1] = Seat(
                license_id=seat.license_id,
                user_id=seat.user_id,
                since=min(before.since, seat.since),
                first=before.first,
                last=max(before.last, seat.last),
            )
        else:
            found.append(seat)
    return found


def _was_given(row: Row, facts: Facts) -> bool:
    return bool(row["assigned_at"] < facts.as_of)


def _held(row: Row, facts: Facts) -> Seat:
    end = row["unassigned_at"]
    is_over = end is not None and end < facts.as_of
    return Seat(
        license_id=row["license_id"],
        user_id=row["user_id"],
        since=row["assigned_at"],
        first=facts.day_of(row["assigned_at"]),
        last=facts.day_of(end) - ONE_DAY if is_over else FOREVER,
    )


def _continues(before: Seat, seat: Seat) -> bool:
    same = (before.license_id, before.user_id) == (seat.license_id, seat.user_id)
    return same and (before.last == FOREVER or seat.first <= before.last + ONE_DAY)


def licenses_daily(facts: Facts) -> list[dict[str, Any]]:
    """The rows of `fct_licenses_daily`."""
    held = seats(facts)
    return [
        _license_day(license_, day, held, facts)
        for license_ in licenses(facts)
        for day in days_between(license_.started_on, facts.today - ONE_DAY)
    ]


def _license_day(
    license_: License, day: date, held: Sequence[Seat], facts: Facts
) -> dict[str, Any]:
    holders = {
        s.user_id for s in held if s.license_id == license_.name and s.first <= day <= s.last
    }
    changed = license_.row["updated_at"]
    return {
        **_key(license_),
        "day": day,
        "status": license_.status(day, day),
        "expires_on": license_.expires_on,
        **_counted(license_, holders, day, facts),
        "is_history_assumed": changed is None or facts.day_of(changed) > day,
    }


def account_licenses(facts: Facts) -> list[dict[str, Any]]:
    """The rows of `account_licenses`."""
    held = seats(facts)
    rows = []
    for license_ in licenses(facts):
        holders = {s.user_id for s in held if s.license_id == license_.name and s.last == FOREVER}
        end = license_.expires_on
        rows.append(
            {
                **_key(license_),
                "status": license_.status(facts.today, facts.today),
                "days_to_expiration": None if end is None else (end - facts.today).days,
                **_counted(license_, holders, facts.today - ONE_DAY, facts),
                "is_perpetual": end is None,
                "started_on": license_.started_on,
                "suspended_on": license_.suspended_on,
                "expires_on": end,
            }
        )
    return rows


def _key(license_: License) -> dict[str, Any]:
    return {
        "account_id": license_.row["account_id"],
        "package": license_.row["package"],
        "license_id": license_.name,
    }


def _counted(license_: License, holders: set[str], last: date, facts: Facts) -> dict[str, Any]:
    """Seats, of which those are active whose holder was, in the 30 days that end with `last`."""
    own = [act for act in facts.acts if act.account_id == license_.row["account_id"]]
    active = holders & users_of(act for act in in_window(own, last, 30) if act.is_activity)
    return {
        "seats_purchased": license_.row["seats_purchased"],
        "seats_allocated": license_.row["seats_allocated"],
        "seats_assigned": len(holders),
        "seats_active": len(active),
        "license_utilization_ratio": ratio(len(holders), license_.limit or 0),
        "active_seat_ratio": ratio(len(active), license_.limit or 0),
        "is_unlimited": bool(license_.row["is_unlimited"]),
    }


def account_license_totals(rows: Sequence[Row], today: date) -> list[dict[str, Any]]:
    """The rows of `account_license_totals`, from those of `account_licenses`."""
    return [
        _totals(name, [row for row in rows if row["account_id"] == name], today)
        for name in sorted({row["account_id"] for row in rows})
    ]


def _totals(account: str, rows: Sequence[Row], today: date) -> dict[str, Any]:
    counts = {
        word: sum(row["status"] == word for row in rows)
        for word in ("Active", "Trial", "Suspended", "Expired")
    }
    live = [row for row in rows if row["status"] in ("Active", "Trial")]
    ends = [row["expires_on"] for row in live if row["expires_on"] is not None]
    is_counted = all(r["seats_purchased"] is not None and not r["is_unlimited"] for r in live)
    limit = sum(r["seats_purchased"] for r in live) if live and is_counted else None
    assigned, active = (sum(r[c] for r in live) for c in ("seats_assigned", "seats_active"))
    return {
        "account_id": account,
        "status": next(word for word, count in counts.items() if count),
        **{f"{word.lower()}_licenses": count for word, count in counts.items()},
        "seats_purchased": limit,
        "seats_assigned": assigned,
        "seats_active": active,
        "license_utilization_ratio": ratio(assigned, limit or 0),
        "active_seat_ratio": ratio(active, limit or 0),
        "expires_on": min(ends, default=None),
        "days_to_expiration": (min(ends) - today).days if ends else None,
    }


def license_chooser(facts: Facts) -> "LicenseChooser":
    """Says under which licence somebody's use counts."""
    by_name = {one.name: one for one in licenses(facts)}
    return LicenseChooser(by_name=by_name, held=tuple(seats(facts)))


@dataclass(frozen=True, kw_only=True)
class LicenseChooser:
    """Of the licences that a user holds at a day's end: the package's first, else the first."""

    by_name: dict[str, License]
    held: tuple[Seat, ...]

    def choose(self, account: str, user: str, package: str, day: date) -> str:
        """The licence's id, or `(unassigned)`."""
        found = sorted((seat.since, seat.license_id) for seat in self._in_force(account, user, day))
        matching = [(at, n) for at, n in found if self.by_name[n].row["package"] == package]
        names = [name for _, name in matching or found]
        return names[0] if names else "(unassigned)"

    def _in_force(self, account: str, user: str, day: date) -> Iterator[Seat]:
        for seat in self.held:
            one = self.by_name.get(seat.license_id)
            if one is None or one.row["account_id"] != account or seat.user_id != user:
                continue
            is_valid = one.started_on <= day and (one.expires_on or FOREVER) >= day
            if is_valid and seat.first <= day <= seat.last:
                yield seat
