"""The sample's accounts: who they are and how each one's story goes.

A plan never depends on how far the sample is written: day D + 1 can be added later, and nothing
that has been written changes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np

from assets.extracts.sampling import words

# One account in twenty each; what is common stands often.
STORIES = (
    "growing", "steady", "trouble", "churned", "steady", "improving", "growing", "quiet",
    "trial_lost", "steady", "returned", "growing", "churned", "steady", "trouble", "growing",
    "steady", "trialing", "improving", "steady",
)  # fmt: skip
DAYS_BETWEEN_ARRIVALS = 9

Points = tuple[tuple[int, float], ...]


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """The sample's own dates; `turn` is the last day of history, where the stories stand."""

    first_day: date
    turn: date

    def day(self, offset: int) -> int:
        """Days since 1970 of the turn plus `offset` days."""
        return self.turn.toordinal() - EPOCH + offset


EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, kw_only=True)
class Account:
    """One account with its whole life; days count from 1970-01-01.

    `level` and `strain` are (day, value) points to interpolate: how much of its usual use the
    account shows, and how much trouble it has, 0 to 1.
    """

    number: int
    account_id: str
    name: str
    story: str
    created_at: datetime
    left_day: int | None
    back_day: int | None
    size_band: str
    tier: str
    employees: int
    users: int
    region: str
    country: str
    time_zone: str
    industry: str
    product_line: str
    is_test: bool
    breadth: int
    level: Points
    strain: Points

    @property
    def created_day(self) -> int:
        """The day of `created_at`."""
        return self.created_at.toordinal() - EPOCH

    @property
    def currency(self) -> str:
        """What its invoices are in."""
        return words.CURRENCIES.get(self.country, "USD")

    @property
    def domain(self) -> str:
        """The account's own e-mail domain."""
        return self.name.split(" ")[0].lower() + f"{self.number}.example"


def plan_accounts(
    seed: int, accounts: int, calendar: Calendar, through: date
) -> tuple[Account, ...]:
    """Every account that exists by the end of `through`, oldest first.

    Args:
        seed: chooses the world.
        accounts: how many there are by the end of the history; later ones keep arriving.
        calendar: the sample's dates.
        through: the last day that is asked for.
    """
    stories = [STORIES[number % len(STORIES)] for number in range(accounts)]
    rng = np.random.default_rng([seed, 1])
    born = sorted((_birth(story, calendar, rng), n, story) for n, story in enumerate(stories))
    days_after = (through - calendar.turn).days
    arrivals = [
        (calendar.day(offset), accounts, "arrival")
        for offset in range(DAYS_BETWEEN_ARRIVALS - 5, days_after + 1, DAYS_BETWEEN_ARRIVALS)
    ]
    return tuple(
        _account(seed, number, story, day, calendar)
        for number, (day, _, story) in enumerate(born + arrivals, start=1)
    )


def _birth(story: str, calendar: Calendar, rng: np.random.Generator) -> int:
    """The day an account is created: early enough for its story, and more of them later on."""
    earliest = calendar.first_day.toordinal() - EPOCH - 270
    latest = {
        "trialing": -4, "trial_lost": -45, "churned": -210, "returned": -330,
        "trouble": -150, "improving": -170, "quiet": -90, "growing": -60,
    }.get(story, -30)  # fmt: skip
    if story == "trialing":
        return calendar.day(latest - int(rng.integers(5)))
    span = max(calendar.day(latest) - earliest, 1)
    return earliest + int(span * float(rng.random()) ** 0.75)


def _account(seed: int, number: int, story: str, day: int, calendar: Calendar) -> Account:
    """One account: its attributes and the course of its use."""
    rng = np.random.default_rng([seed, 2, number])
    bands = list(words.SIZE_BANDS)
    band = bands[_pick(rng, [words.SIZE_BANDS[b][0] for b in bands])]
    _, tier, low, high, typical = words.SIZE_BANDS[band]
    regions = list(words.REGIONS)
    region = regions[_pick(rng, [words.REGIONS[r][0] for r in regions])]
    country, time_zone = words.REGIONS[region][2][int(rng.integers(3))]
    industry = words.INDUSTRIES[int(rng.integers(len(words.INDUSTRIES)))]
    suffix = words.SUFFIXES[industry][int(rng.integers(3))]
    left, back = _ends(story, day, calendar, rng)
    return Account(
        number=number,
        account_id=f"acc-{number:04d}",
        name=f"{words.company_stem(seed, number)} {suffix}",
        story=story,
        created_at=instant(day) + timedelta(seconds=int(rng.integers(28_800, 61_200))),
        left_day=left,
        back_day=back,
        size_band=band,
        tier=tier,
        employees=int(rng.integers(low, high + 1)),
        users=max(2, int(typical * float(rng.lognormal(0, 0.3)))),
        region=region,
        country=country,
        time_zone=time_zone,
        industry=industry,
        product_line=words.PRODUCT_LINES[int(rng.integers(3))],
        is_test=number == 9,
        breadth=int(rng.integers(2, 7)),
        level=_level(story, day, left, back, calendar),
        strain=_strain(story, left, calendar),
    )


def instant(day: int) -> datetime:
    """The first instant of a day that is counted from 1970-01-01."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)


def _pick(rng: np.random.Generator, shares: list[float]) -> int:
    return int(rng.choice(len(shares), p=np.array(shares) / sum(shares)))


def _ends(
    story: str, created: int, calendar: Calendar, rng: np.random.Generator
) -> tuple[int | None, int | None]:
    """When the account leaves, and when it comes back; None where it does neither."""
    if story == "trial_lost":
        return created + 14, None
    if story == "trouble" and rng.random() < 0.4:
        return calendar.day(int(rng.integers(8, 40))), None
    if story not in ("churned", "returned"):
        return None, None
    latest = calendar.day(-12 if story == "churned" else -150)
    left = int(rng.integers(min(created + 150, latest - 1), latest))
    back = left + int(rng.integers(35, 110)) if story == "returned" else None
    return left, back


def _level(
    story: str, created: int, left: int | None, back: int | None, calendar: Calendar
) -> Points:
    """How the account's use goes, as a share of what is usual for its people."""
    day = calendar.day
    start = ((created, 0.5), (created + 30, 1.0))
    courses: Mapping[str, Callable[[], Points]] = {
        "growing": lambda: ((created, 0.4), (created + 40, 0.8), (day(0), 1.25)),
        "quiet": lambda: ((created, 0.4), (created + 30, 0.22)),
        "trouble": lambda: (*start, (day(-60), 1.0), (day(-14), 0.06)),
        "improving": lambda: (*start, (day(-140), 0.3), (day(-50), 0.35), (day(-8), 1.2)),
        "trial_lost": lambda: ((created, 0.8), (created + 14, 0.1), (created + 20, 0.0)),
        "churned": lambda: (*start, *_decline(left, None)),
        "returned": lambda: (*start, *_decline(left, back)),
    }
    points = courses.get(story, lambda: start)()
    return tuple(sorted(dict(points).items()))


def _decline(left: int | None, back: int | None) -> Points:
    """Nine weeks of declining use before an account leaves, and its return if there is one."""
    if left is None:
        return ()
    down: Points = ((left - 63, 1.0), (left - 7, 0.12), (left + 2, 0.0))
    return down if back is None else (*down, (back - 1, 0.0), (back + 20, 0.9))


def _strain(story: str, left: int | None, calendar: Calendar) -> Points:
    """How much trouble the account has; its tickets follow it."""
    if story == "trouble":
        return ((calendar.day(-50), 0.0), (calendar.day(-8), 1.0))
    if story == "improving":
        return ((calendar.day(-90), 0.7), (calendar.day(-30), 0.0))
    if left is not None:
        return ((left - 60, 0.0), (left - 5, 1.0), (left + 2, 0.0))
    return ((calendar.day(0), 0.05),)
