"""The sample's exchange rates: a slow walk on working days, from before anybody pays."""

from datetime import date, datetime, timedelta

import numpy as np
import polars as pl

from assets.extracts.sampling.accounts import Calendar

# currency: what a unit is worth in US dollars when all is calm
CALM_RATES = {"EUR": 1.08, "GBP": 1.27}
PULL, STEP = 0.995, 0.004  # how strongly yesterday holds, and how far a day goes
EARLIEST_ACCOUNT = 270  # days before the first day with events
SATURDAY = 5


def plan_rates(seed: int, calendar: Calendar, through: date) -> pl.DataFrame:
    """A rate per currency and working day, up to `through`; a longer walk begins as a shorter one.

    The walk starts before the month in which the oldest account can begin, so that the rate of
    every month that anybody pays for is there.
    """
    first = (calendar.first_day - timedelta(days=EARLIEST_ACCOUNT)).replace(day=1)
    first -= timedelta(days=10)
    days = [first + timedelta(days=n) for n in range((through - first).days + 1)]
    working = [day for day in days if day.weekday() < SATURDAY]
    frames = [
        pl.DataFrame(
            {"currency": name, "day": working, "rate": _walk(seed, place, calm, len(working))}
        )
        for place, (name, calm) in enumerate(CALM_RATES.items())
    ]
    return pl.concat(frames)


def known_rates(rates: pl.DataFrame, since: datetime | None, end: datetime) -> pl.DataFrame:
    """The rates of the days from `since` on, or of all days, before `end`."""
    known = rates.filter(pl.col("day") < end.date())
    return known if since is None else known.filter(pl.col("day") >= since.date())


def _walk(seed: int, place: int, calm: float, length: int) -> list[str]:
    """A walk that is drawn back to where it began, with 4 digits after the point."""
    steps = np.random.default_rng([seed, 20, place]).normal(0, STEP, length)
    rates, away = [], 0.0
    for step in steps:
        away = PULL * away + float(step)
        rates.append(f"{calm * float(np.exp(away)):.4f}")
    return rates
