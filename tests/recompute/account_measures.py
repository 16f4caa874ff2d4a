"""What people, work, licences and money say of an account on a day, in plain Python.

Each function counts one part of `account_metrics_daily` in a world as it was known at a day's end,
from nothing. Source of every rule: the project's spec 40, 50 and 30 ("Licence status") and the
definitions of the metric registry; shares no code with the product.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any

from tests.recompute.calendars import local_day
from tests.recompute.subscriptions import end_of, spans, told

Row = Mapping[str, Any]

ONE_DAY = timedelta(days=1)
TWO_WAY = {"call", "meeting", "check_in", "training", "qbr"}
DONE = {"completed", "complete", "done", "closed", "cancelled", "canceled"}
REACHED = {"completed", "complete", "done", "achieved", "reached", "cancelled", "canceled"}
ENDED = {"expired", "canceled", "cancelled"}
CENT = Decimal("0.01")


@dataclass(frozen=True, kw_only=True)
class Account:
    """One account's rows as they were known at an instant; none that is gone by then."""

    name: str
    instant: datetime
    zone: tzinfo
    tables: Mapping[str, Sequence[Row]]
    active_users: frozenset[str]
    internal_users: frozenset[str]

    @property
    def today(self) -> date:
        """The last full day."""
        return local_day(self.instant - timedelta(microseconds=1), self.zone)

    def rows(self, table: str) -> list[Row]:
        """The account's own rows that are there."""
        return [row for row in self.there(table) if row["account_id"] == self.name]

    def there(self, table: str) -> Iterator[Row]:
        """All rows of a table that no extract has let go of by then."""
        for row in self.tables.get(table, ()):
            if row.get("gone_at") is None or row["gone_at"] >= self.instant:
                yield row

    def happened(self, at: datetime | None) -> bool:
        """Whether an instant lies before this one."""
        return at is not None and at < self.instant

    def day(self, at: datetime) -> date:
        """An instant's local day."""
        return local_day(at, self.zone)

    def within(self, days: int, at: datetime) -> bool:
        """Whether an instant lies in so many days that end with the last full one."""
        return self.today - days * ONE_DAY < self.day(at) <= self.today


def ratio(value: Any, of: Any) -> Fraction | None:
    """A quotient, None over nothing."""
    return Fraction(value) / Fraction(of) if of else None


def talks(account: Account) -> dict[str, Any]:
    """What was talked about with whom."""
    held = [
        row
        for row in account.rows("crm.interactions")
        if row.get("is_completed") is not False and account.happened(row["occurred_at"])
    ]
    both = [row for row in held if _is_two_way(row)]
    people = {p["contact_id"]: p for p in account.there("crm.contacts")}
    met = {
        row["contact_id"]
        for row in both
        if account.within(30, row["occurred_at"]) and row["contact_id"] in people
    }
    places = {(people[who]["department"] or "").strip(" ").lower() for who in met}
    last = max((account.day(row["occurred_at"]) for row in both), default=None)
    return {
        "days_since_last_touch": None if last is None else (account.today - last).days,
        "interactions_30d": _talks(account, held, 30),
        "meetings_90d": _talks(account, held, 90, "meeting", "qbr"),
        "trainings_90d": _talks(account, held, 90, "training"),
        "check_ins_90d": _talks(account, held, 90, "check_in"),
        "contacts_engaged_30d": len(met),
        "departments_engaged_30d": len(places - {""}),
    }


def _is_two_way(row: Row) -> bool:
    inbound = (row["direction"] or "").lower() == "inbound"
    kind = row["interaction_type"]
    return kind in TWO_WAY or (kind == "email" and inbound)


def _talks(account: Account, held: Iterable[Row], days: int, *kinds: str) -> int:
    """How many there were; copies of one message are one."""
    found = set()
    for row in held:
        kind = row["interaction_type"]
        if account.within(days, row["occurred_at"]) and (not kinds or kind in kinds):
            message = (row["message_id"] or "").strip("<> ") if kind == "email" else ""
            found.add(message or (row["interaction_id"],))
    return len(found)


def contacts(account: Account) -> dict[str, Any]:
    """Contacts with a key role."""
    found = [r for r in account.rows("crm.contacts") if (r["key_role"] or "").strip(" ")]
    return {"key_contacts": len(found)}


def _is_open(account: Account, row: Row, words: set[str]) -> bool:
    if row["completed_at"] is not None:
        return not account.happened(row["completed_at"])
    is_over = row["status"].strip(" ").lower() in words
    return not (is_over and account.happened(row["updated_at"] or row["created_at"]))


def tasks(account: Account) -> dict[str, Any]:
    """Tasks that are open, and those whose day is over."""
    found = [r for r in account.rows("crm.tasks") if _is_open(account, r, DONE)]
    late = [r for r in found if r["due_on"] is not None and r["due_on"] < account.today]
    return {"open_tasks": len(found), "overdue_tasks": len(late)}


def goals(account: Account) -> dict[str, Any]:
    """Goals that are open, and how far they are."""
    found = [r for r in account.rows("crm.goals") if _is_open(account, r, REACHED)]
    told_of = [Fraction(r["progress_ratio"]) for r in found if r["progress_ratio"] is not None]
    return {
        "open_goals": len(found),
        "goals_progress_ratio": ratio(sum(told_of, Fraction(0)), len(told_of)),
    }


def deals(account: Account) -> dict[str, Any]:
    """What the open deals are worth; all of them are in the reporting currency."""
    found = [
        r["amount"]
        for r in account.rows("crm.deals")
        if r["amount"] is not None and not _is_closed(account, r)
    ]
    return {"open_deals_amount": sum(found, Decimal(0)).quantize(CENT)}


def _is_closed(account: Account, row: Row) -> bool:
    if row["closed_at"] is not None:
        return account.happened(row["closed_at"])
    is_over = bool(row["is_won"]) or row["stage"] in ("Closed Won", "Closed Lost")
    return is_over and account.happened(row["updated_at"] or row["created_at"])


def answers(account: Account) -> dict[str, Any]:
    """The answers of the 90 days before the latest one, by the scores of all of them."""
    found = [
        (account.day(row["submitted_at"]), row["score"])
        for row in account.rows("crm.nps_responses")
        if account.happened(row["submitted_at"]) and row["user_id"] not in account.internal_users
    ]
    latest = max((day for day, _ in found), default=None)
    if latest is None:
        return {"nps_answers": 0} | dict.fromkeys(("nps_mean", "net_promoter", "days_since_nps"))
    scores = [score for day, score in found if (latest - day).days <= 90]
    balance = sum(1 if s >= 9 else 0 if s >= 7 else -1 for s in scores)
    return {
        "nps_answers": len(scores),
        "nps_mean": Fraction(sum(scores), len(scores)),
        "net_promoter": Fraction(100 * balance, len(scores)),
        "days_since_nps": (account.today - latest).days,
    }


def licenses(account: Account) -> dict[str, Any]:
    """Seats of the licences in force, and when the first of them ends."""
    found = _licenses_in_force(account)
    ends = [row["expires_on"] for row in found if row["expires_on"] is not None]
    return {
        "purchased_seats": _bought(found),
        "days_to_license_end": (min(ends) - account.today).days if ends else None,
    }


def seats(account: Account) -> dict[str, Any]:
    """Seats of the licences in force whose holder was active."""
    found = _licenses_in_force(account)
    held = list(account.there("crm.license_assignments"))
    active = {
        (row["license_id"], seat["user_id"])
        for row in found
        for seat in held
        if seat["license_id"] == row["license_id"]
        and seat["user_id"] in account.active_users
        and not account.happened(seat.get("unassigned_at"))
    }
    return {
        "active_seats": len(active),
        "seat_adoption_ratio": ratio(len(active), _bought(found)),
    }


def _licenses_in_force(account: Account) -> list[Row]:
    return [row for row in account.rows("crm.licenses") if _is_in_force(account, row)]


def _bought(found: list[Row]) -> Any:
    """All seats; None where one licence has no end of them."""
    if any(row["is_unlimited"] or row["seats_purchased"] is None for row in found):
        return None
    return sum(row["seats_purchased"] for row in found)


def _is_in_force(account: Account, row: Row) -> bool:
    word = (row["status"] or "").lower()
    since_told = account.day(row["updated_at"] or row["started_at"]) <= account.today
    if row["suspended_at"] is not None:
        is_suspended = account.happened(row["suspended_at"])
    else:
        is_suspended = word == "suspended" and since_told
    is_over = row["expires_on"] is not None and row["expires_on"] < account.today
    return not (is_suspended or is_over or (word in ENDED and since_told))


def invoices(account: Account) -> dict[str, Any]:
    """What is owed on invoices whose day is over; only dollars have a rate."""
    owed: list[tuple[date, Decimal]] = []
    for row in account.rows("invoices.invoices"):
        due = row["due_on"] or account.day(row["created_at"]) + 30 * ONE_DAY
        left = _left_over(account, row)
        if due < account.today and left > 0:
            owed.append((due, left))
    total = sum((left for _, left in owed), Decimal(0))
    oldest = min((due for due, _ in owed), default=account.today)
    return {
        "overdue_amount": total.quantize(CENT, rounding=ROUND_HALF_EVEN),
        "days_overdue": (account.today - oldest).days,
    }


def _left_over(account: Account, row: Row) -> Decimal:
    if row["currency"].upper() != "USD" or not _is_sent(account, row):
        return Decimal(0)
    total = row["total_amount"]
    if total is None and row["subtotal_amount"] is not None:
        total = row["subtotal_amount"] + (row["tax_amount"] or 0)
    answered = [
        each["amount"]
        for table, at in (("invoices.payments", "paid_at"), ("invoices.credit_notes", "issued_at"))
        for each in account.there(table)
        if each["invoice_id"] == row["invoice_id"]
        and each["currency"] == "USD"
        and account.happened(each[at])
        and (each.get("status") or "").lower() not in ("failed", "canceled")
    ]
    return Decimal(total or 0) - sum(answered, Decimal(0))


def _is_sent(account: Account, row: Row) -> bool:
    """Neither paid, voided, written off nor a draft."""
    word = row["status"].lower()
    if word in ("void", "paid"):
        at = row["voided_at"] if word == "void" else row["paid_at"]
        return at is not None and not account.happened(at)
    return word == "open"


def contract(account: Account) -> dict[str, Any]:
    """The next renewal of the account's subscriptions, and the next notice window."""
    found = [
        (day, 30 if row.get("notice_days") is None else row["notice_days"])
        for row in account.rows("invoices.subscriptions")
        for day in (_renewal(account, row),)
        if day is not None
    ]
    days = [(renewal - account.today).days for renewal, _ in found]
    until = [(renewal - account.today).days - notice for renewal, notice in found]
    return {"days_to_renewal": min(days, default=None), "days_to_notice": min(until, default=None)}


def _renewal(account: Account, row: Row) -> date | None:
    term = row.get("renewal_term_months")
    if not term:
        return None
    known = told(row, (), account.instant)
    paid = [span.start for span in spans(known) if span.phase == "paid"]
    if not paid or account.day(min(paid)) > account.today:
        return None
    first = account.day(min(paid))
    number = 1
    while (renewal := _months_after(first, number * term)) < account.today:
        number += 1
    end = end_of(known, "period_end")
    is_over = known.happened("ended_at") is not None
    return None if is_over or (end is not None and account.day(end) <= renewal) else renewal


def _months_after(day: date, months: int) -> date:
    """So many months later, on the same day of the month or on its last one."""
    count = day.year * 12 + day.month - 1 + months
    year, month = divmod(count, 12)
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return min(date(year, month + 1, 1) + (day.day - 1) * ONE_DAY, following - ONE_DAY)
