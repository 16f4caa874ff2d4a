"""Whose rows are whose, which rate holds and which day it is, in plain Python.

Shares no code with the product. Source of every rule: the project's spec 00 (time, numbers,
identity) and spec 20 ("Currency").
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.recompute.invoice_books import InvoiceLanding
from tests.recompute.links import linked
from tests.recompute.merges import survivors

Row = Mapping[str, Any]


def rounded(exact: Fraction, places: int) -> Decimal:
    """Half-even to that many decimals (Python rounds a Fraction so)."""
    return Decimal(round(exact * 10**places)).scaleb(-places)


def next_month(month: date) -> date:
    """The first day of the month after."""
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


@dataclass(frozen=True, kw_only=True)
class World:
    """Whose rows are whose, which rate holds, and which day it is."""

    landing: InvoiceLanding
    zone: tzinfo = UTC
    reporting: str = "USD"
    owners: Mapping[str, str] = field(default_factory=dict)

    @property
    def as_of(self) -> datetime:
        return self.landing.as_of

    @property
    def as_of_day(self) -> date:
        return self.day(self.as_of)

    @property
    def last_month(self) -> date:
        return (self.as_of_day - timedelta(days=1)).replace(day=1)

    def day(self, instant: datetime) -> date:
        return instant.astimezone(self.zone).date()

    def month(self, instant: datetime) -> date:
        return self.day(instant).replace(day=1)

    def first_instant(self, day: date) -> datetime:
        return datetime.combine(day, time(), tzinfo=self.zone).astimezone(UTC)

    def happened(self, instant: datetime | None) -> datetime | None:
        return instant if instant is not None and instant < self.as_of else None

    def rate(self, currency: str, month: date) -> Fraction | None:
        """The last rate published in the seven days before a month."""
        if currency.upper() == self.reporting:
            return Fraction(1)
        days = {
            row["day"]: Fraction(row["rate"])
            for row in self.landing.fx_rates
            if row["currency"] == currency.upper() and self.first_instant(row["day"]) < self.as_of
        }
        wanted = [month - timedelta(days=back) for back in range(1, 8)]
        return next((days[day] for day in wanted if day in days), None)

    def account(self, billing_id: str, at: datetime) -> str | None:
        """Under which account a row of this date counts; None where it counts nowhere."""
        name = linked(self.landing.links, "invoices", billing_id, at)
        name = self.owners.get(name, name)
        return name if name in self.accounts() else None

    def accounts(self) -> dict[str, Row]:
        """Accounts that count: there, no test, not part of another one."""
        return {
            row["account_id"]: row
            for row in self.landing.accounts
            if row["created_at"] < self.as_of
            and not row["is_test"]
            and row["account_id"] not in self.owners
        }


def world_of(landing: InvoiceLanding, zone: tzinfo = UTC) -> World:
    """The world of a landing."""
    known = {a["account_id"] for a in landing.accounts if a["created_at"] < landing.as_of}
    merges = [m for m in landing.merges if m["merged_at"] < landing.as_of]
    return World(landing=landing, zone=zone, owners=survivors(merges, known))
