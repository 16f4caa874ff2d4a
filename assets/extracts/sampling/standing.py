"""How the sample's subscriptions stand: who falls behind, pauses, never pays, and leaves."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from assets.extracts.sampling.accounts import Account, Calendar, instant
from assets.extracts.sampling.moments import add_months

DUE_AFTER = timedelta(days=14)
Word = tuple[datetime, str]


def words_of(
    account: Account, row: Mapping[str, Any], interval: str, calendar: Calendar
) -> Iterator[Word]:
    """The instants at which a subscription's word changes, in order, with the new word.

    Args:
        account: whose subscription it is.
        row: the subscription, with all that will become of it.
        interval: by what it is billed at first.
        calendar: the sample's dates.
    """
    paid, end = row["trial_ends_at"] or row["started_at"], row["ended_at"]
    is_first = str(row["subscription_id"]).endswith("-1")
    if account.story == "trouble" and account.number % 2 == 0:
        yield instant(calendar.day(-9)), "past_due"
    elif interval == "month" and is_first:
        yield from _story(account, paid, end, calendar)
    if end is not None:
        yield end, "canceled"


def _story(
    account: Account, paid: datetime, end: datetime | None, calendar: Calendar
) -> Iterator[Word]:
    """Some fall behind for twelve days, some pause for two months, some never pay; most don't."""
    number = account.number
    if account.story == "steady" and number % 4 == 0 and number % 5:
        yield add_months(paid, 7) + DUE_AFTER, "past_due"
        yield add_months(paid, 7) + DUE_AFTER + timedelta(days=12), "active"
    elif account.story == "quiet":
        yield add_months(paid, 2), "paused"
        yield add_months(paid, 4), "active"
    elif account.story == "churned" and number % 3 != 1 and end is not None:
        yield from _never_paid(paid, end, calendar)


def _never_paid(paid: datetime, end: datetime, calendar: Calendar) -> Iterator[Word]:
    """The last invoice of somebody who left long ago."""
    months = (end.year - paid.year) * 12 + end.month - paid.month
    last = add_months(paid, months - 1)
    if months > 1 and end < instant(calendar.day(-60)):
        yield last + DUE_AFTER, "past_due"
        yield last + DUE_AFTER + timedelta(days=10), "unpaid"
