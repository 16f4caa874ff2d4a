"""The sample's world: everything that is planned once and that each day's rows are drawn from."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np

from assets.extracts.sampling.accounts import Account, Calendar, Points, plan_accounts
from assets.extracts.sampling.people import People, plan_people

# Monday to Sunday, and the months that are quieter than others.
WEEKDAYS = np.array([1.0, 1.08, 1.06, 1.02, 0.86, 0.12, 0.08])
MONTHS = np.array([0.97, 1.0, 1.0, 0.98, 1.0, 1.0, 0.86, 0.74, 1.0, 1.03, 1.02, 0.8])


@dataclass(frozen=True, kw_only=True)
class World:
    """The plan of a sample; the same seed, size and calendar give the same world."""

    seed: int
    calendar: Calendar
    accounts: tuple[Account, ...]
    people: People

    @cached_property
    def first_user(self) -> np.ndarray:
        """The place of each account's first user, and the number of users at the end."""
        return np.concatenate([[0], np.cumsum([account.users for account in self.accounts])])

    def present(self, days: np.ndarray) -> tuple[Account, ...]:
        """The accounts that exist by the last of these days.

        A draw covers exactly these, so that accounts that come later change nothing in it.
        """
        return tuple(account for account in self.accounts if account.created_day <= days[-1])

    def levels(self, days: np.ndarray) -> np.ndarray:
        """How much each present account is used, accounts down and days across, season aside."""
        return _courses([account.level for account in self.present(days)], days)

    def strains(self, days: np.ndarray) -> np.ndarray:
        """How much trouble each present account has, accounts down and days across, 0 to 1."""
        return _courses([account.strain for account in self.present(days)], days)


def plan_world(seed: int, accounts: int, calendar: Calendar, through: date) -> World:
    """Plans a sample of `accounts` accounts, and those that arrive later, up to `through`."""
    planned = plan_accounts(seed, accounts, calendar, through)
    return World(seed=seed, calendar=calendar, accounts=planned, people=plan_people(seed, planned))


def season(days: np.ndarray) -> np.ndarray:
    """How busy each day is: weekends, summer and the end of the year are quiet."""
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]").astype(np.int64) % 12
    weekdays = (days + 3) % 7  # 1970-01-01 was a Thursday
    day_of_year = (dates - dates.astype("datetime64[Y]")).astype(np.int64)
    holidays = np.where((day_of_year >= 356) | (day_of_year <= 2), 0.35, 1.0)
    busy: np.ndarray = WEEKDAYS[weekdays] * MONTHS[months] * holidays
    return busy


def _courses(points: list[Points], days: np.ndarray) -> np.ndarray:
    """The courses between their points, one row each; an empty sample has no row."""
    rows = [np.interp(days, [at for at, _ in course], [v for _, v in course]) for course in points]
    return np.array(rows).reshape(len(points), len(days))
