"""Rates in plain Python. Source: the project's spec 20 ("Currency")."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from fractions import Fraction
from typing import Any

from tests.recompute.calendars import first_instant, local_day, local_month, next_month

OLDEST = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Rates:
    """All published rates, by currency in order of their days."""

    reporting: str
    zone: tzinfo
    published: Mapping[str, list[tuple[date, Fraction]]]

    def before(self, currency: str, instant: datetime) -> Fraction | None:
        """The last rate whose day began before the instant, at most seven days old."""
        if currency == self.reporting:
            return Fraction(1)
        told = self.published.get(currency, [])
        today = local_day(instant, self.zone)
        until = today if first_instant(today, self.zone) >= instant else today + timedelta(days=1)
        place = bisect_left(told, (until,)) - 1
        if place < 0 or told[place][0] < today - OLDEST:
            return None
        return told[place][1]

    def of_month(self, currency: str, instant: datetime) -> Fraction | None:
        """The rate of the month that the instant falls in."""
        month = local_month(instant, self.zone)
        return self.before(currency, first_instant(month, self.zone))


def rates(
    rows: Iterable[Mapping[str, Any]], *, reporting: str = "USD", zone: tzinfo = UTC
) -> Rates:
    """The rates of rows of `invoices.fx_rates`."""
    published: dict[str, list[tuple[date, Fraction]]] = {}
    for row in rows:
        told = published.setdefault(row["currency"], [])
        told.append((row["day"], Fraction(str(row["rate"]))))
    ordered = {currency: sorted(told) for currency, told in published.items()}
    return Rates(reporting=reporting, zone=zone, published=ordered)


def month_starts(after: datetime, until: datetime, zone: tzinfo) -> list[datetime]:
    """The first instants of months in (after, until]."""
    found = []
    month = next_month(local_month(after, zone))
    while first_instant(month, zone) <= until:
        found.append(first_instant(month, zone))
        month = next_month(month)
    return found
