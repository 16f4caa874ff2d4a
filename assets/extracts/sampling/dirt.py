"""The sample's dirt: what real deliveries bring along, a handful of rows, each kind on its day.

Counted from the end of the history, in a cycle of seven days: duplicates inside a file; late by
2 days and duplicates across files; late by 40 days, a future date, a missing account; an unknown
account, a bad date; late by 5 days, an unknown user. Two days are clean.
"""

from collections.abc import Callable
from datetime import date, timedelta

import polars as pl

Day = Callable[[date], pl.DataFrame]


def with_dirt(rows: pl.DataFrame, day: date, offset: int, of_day: Day) -> pl.DataFrame:
    """A day's delivery: its own events as text, and that day's dirt after them.

    Args:
        rows: the day's own events in contract order, every value as text.
        day: the day of the delivery.
        offset: days since the end of the history, from 1.
        of_day: makes the clean events of another day, as text, under ids of their own day.
    """
    kind = offset % 7
    makers: dict[int, Callable[[], list[pl.DataFrame]]] = {
        1: lambda: [rows[3:5]],
        2: lambda: [late(of_day, day, 2), of_day(day - timedelta(days=1))[5:7]],
        3: lambda: [late(of_day, day, 40), _in_the_future(rows[0:1], day), _lacking(rows[1:2])],
        4: lambda: [_of_nobody(rows[0:2]), _badly_dated(rows[2:3])],
        5: lambda: [late(of_day, day, 5), _of_a_stranger(rows[0:1])],
    }
    return pl.concat([rows, *makers.get(kind, list)()])


def late(of_day: Day, day: date, days: int) -> pl.DataFrame:
    """Three events that happened `days` days ago and arrive only now."""
    first = days % 5 * 2  # other rows for each kind, should two of them name one day
    found = of_day(day - timedelta(days=days))[first : first + 3]
    return _renamed(found, f"late-{days}")


def _renamed(rows: pl.DataFrame, kind: str) -> pl.DataFrame:
    return rows.with_columns(event_id=pl.col("event_id") + f"-{kind}")


def _in_the_future(rows: pl.DataFrame, day: date) -> pl.DataFrame:
    """A device whose clock is a year ahead."""
    ahead = f"{day.year + 1}-07-01T08:00:00.000Z"
    return _renamed(rows.with_columns(occurred_at=pl.lit(ahead)), "future")


def _lacking(rows: pl.DataFrame) -> pl.DataFrame:
    return _renamed(rows.with_columns(account_id=pl.lit(None, dtype=pl.String)), "lacking")


def _of_nobody(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of an account that the CRM has never heard of."""
    return _renamed(rows.with_columns(account_id=pl.lit("acc-9999")), "unlinked")


def _badly_dated(rows: pl.DataFrame) -> pl.DataFrame:
    return _renamed(rows.with_columns(occurred_at=pl.lit("2026-02-31T25:61:00Z")), "baddate")


def _of_a_stranger(rows: pl.DataFrame) -> pl.DataFrame:
    """A user whom the users' extract does not know."""
    stranger = pl.col("user_id") + "-new"
    return _renamed(rows.with_columns(user_id=stranger.fill_null("u-new")), "stranger")


def history_dirt(rows: pl.DataFrame) -> pl.DataFrame:
    """Two events that come twice in one file of the history."""
    return pl.concat([rows, rows[20:22]])


def bad_ticket(tickets: pl.DataFrame) -> pl.DataFrame:
    """One ticket, given as text, whose date nobody can read."""
    bad = tickets[0:1].with_columns(ticket_id=pl.lit("t-baddate"), created_at=pl.lit("31/02/2026"))
    return pl.concat([tickets, bad])
