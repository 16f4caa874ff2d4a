"""The sample's events: people who come, stay for a while and use things minutes apart.

The fast path: whole months are drawn as arrays, no loop goes over users or events.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from assets.extracts.sampling import words
from assets.extracts.sampling.world import World, season

DAY_MICROSECONDS = 86_400_000_000
KINDS = ("use", "login", "error", "heartbeat", "custom", "identify")
USE, LOGIN, ERROR, HEARTBEAT, CUSTOM, IDENTIFY = range(len(KINDS))
SCHEDULED = "Automation"  # what runs without anybody signed in


@dataclass(frozen=True, kw_only=True)
class Visits:
    """Visits as parallel arrays, one element per visit.

    `user` is -1 where nobody was signed in, `turn` the visit's place in the user's day.
    """

    account: np.ndarray
    user: np.ndarray
    day: np.ndarray
    turn: np.ndarray
    start_second: np.ndarray
    length: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What happened in each event, as places in lists: kind, module and feature (-1 for none)."""

    kind: np.ndarray
    module: np.ndarray
    feature: np.ndarray


def draw_events(world: World, days: np.ndarray, name: str, *key: int) -> pl.DataFrame:
    """The events of some consecutive days in order of time.

    Args:
        world: the plan.
        days: consecutive days since 1970.
        name: begins every event's id; two draws with one name would share ids.
        key: chooses the draw, beside the world's seed.

    Returns:
        One row per event with the contract's columns that a sample fills.
    """
    rng = np.random.default_rng([world.seed, 5, *key])
    visits = _join(_visits(world, days, rng), _scheduled(world, days, rng))
    visit = np.repeat(np.arange(len(visits.day)), visits.length)
    at = _instants(visits, visit, rng)
    keep = np.flatnonzero(at < (visits.day[visit] + 1) * DAY_MICROSECONDS)
    keep = keep[np.argsort(at[keep], kind="stable")]
    first = np.zeros(len(visit), dtype=bool)
    first[np.cumsum(visits.length) - visits.length] = True
    choices = _choose(world, visits, visit[keep], first[keep], rng)
    return _frame(world, visits, visit[keep], at[keep], choices, name, rng)


def _visits(world: World, days: np.ndarray, rng: np.random.Generator) -> Visits:
    """Who comes on which day, when and for how many events."""
    people = world.people
    here = np.flatnonzero(people.created_day <= days[-1])
    account = people.account[here]
    chance = people.keenness[here][:, None] * world.levels(days)[account] * season(days)
    exists = (people.created_day[here][:, None] < days) & (people.gone_day[here][:, None] > days)
    comes = rng.random(chance.shape, dtype=np.float32) < np.minimum(chance, 0.97) * exists
    day, place = np.nonzero(comes.T)
    often = rng.random(len(day), dtype=np.float32)
    visits = 1 + (often < 0.38).astype(np.int64) + (often < 0.12)
    turn = _places(visits)
    user = np.repeat(here[place], visits)
    start = people.hour[user] * 3600 + turn * 9_600 + rng.exponential(2_700, len(user))
    return Visits(
        account=people.account[user],
        user=user,
        day=np.repeat(days[day], visits),
        turn=turn,
        start_second=start,
        length=2 + rng.poisson(1.9, len(user)),
    )


def _scheduled(world: World, days: np.ndarray, rng: np.random.Generator) -> Visits:
    """Automations that run with nobody signed in, in two accounts of five."""
    levels = world.levels(days)
    accounts = world.present(days)
    has_them = np.array([account.number % 5 < 2 for account in accounts], dtype=bool)[:, None]
    created = np.array([account.created_day for account in accounts], dtype=np.int64)[:, None]
    count = rng.poisson(0.3 * np.minimum(levels, 1.0) * (has_them & (created < days)))
    account, day = np.nonzero(count)
    runs = count[account, day]
    total = int(runs.sum())
    return Visits(
        account=np.repeat(account, runs),
        user=np.full(total, -1),
        day=np.repeat(days[day], runs),
        turn=_places(runs),
        start_second=rng.random(total) * 80_000,
        length=1 + rng.integers(0, 3, total),
    )


def _places(counts: np.ndarray) -> np.ndarray:
    """0, 1, … within each group, for groups of these sizes that stand one after another."""
    ends = np.cumsum(counts)
    places: np.ndarray = np.arange(int(counts.sum())) - np.repeat(ends - counts, counts)
    return places


def _join(one: Visits, other: Visits) -> Visits:
    return Visits(
        account=np.concatenate([one.account, other.account]),
        user=np.concatenate([one.user, other.user]),
        day=np.concatenate([one.day, other.day]),
        turn=np.concatenate([one.turn, other.turn]),
        start_second=np.concatenate([one.start_second, other.start_second]),
        length=np.concatenate([one.length, other.length]),
    )


def _instants(visits: Visits, visit: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """When each event happens, microseconds since 1970: gaps of minutes inside a visit."""
    gaps = np.minimum(rng.lognormal(5.0, 0.95, len(visit)), 1_650)
    starts = np.cumsum(visits.length) - visits.length
    gaps[starts] = 0
    run = np.cumsum(gaps)
    seconds = visits.start_second[visit] + run - run[starts][visit]
    milliseconds = visits.day[visit] * 86_400_000 + (seconds * 1_000).astype(np.int64)
    instants: np.ndarray = milliseconds * 1_000
    return instants


def _choose(
    world: World, visits: Visits, visit: np.ndarray, first: np.ndarray, rng: np.random.Generator
) -> Choices:
    """What each event is, and in which module and feature."""
    size = len(visit)
    user = visits.user[visit]
    draw = rng.random(size)
    # Where people are in trouble, the product is too.
    strain = np.array([account.story == "trouble" for account in world.accounts])
    errors = 0.012 + 0.015 * strain[visits.account[visit]]
    kind = np.select(
        [draw < errors, draw > 0.985, draw > 0.96, draw > 0.958],
        [ERROR, CUSTOM, HEARTBEAT, IDENTIFY],
        USE,
    )
    opens = first & ((visits.turn[visit] == 0) | (rng.random(size) < 0.4))
    kind = np.where(opens, LOGIN, kind)
    kind = np.where(user < 0, USE, kind)
    module, feature = _places_used(world, visits, visit, rng)
    nowhere = (kind == LOGIN) | (kind == IDENTIFY)
    return Choices(
        kind=kind, module=np.where(nowhere, -1, module), feature=np.where(nowhere, -1, feature)
    )


def _places_used(
    world: World, visits: Visits, visit: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Module and feature: mostly the user's own, else one of those that the account uses."""
    size = len(visit)
    user, account = visits.user[visit], visits.account[visit]
    breadth = np.array([account.breadth for account in world.accounts])[account]
    other = (rng.random(size) ** 1.6 * breadth).astype(np.int64)
    module = np.where(rng.random(size) < 0.7, world.people.favourite[user], other)
    scheduled = list(words.MODULES).index(SCHEDULED)
    module = np.where(user < 0, scheduled, module)
    features = np.array([len(entry[2]) for entry in words.MODULES.values()])[module]
    return module, (rng.random(size) ** 1.9 * features).astype(np.int64)


def _frame(
    world: World,
    visits: Visits,
    visit: np.ndarray,
    at: np.ndarray,
    choices: Choices,
    name: str,
    rng: np.random.Generator,
) -> pl.DataFrame:
    """The rows themselves: places in lists become words."""
    size = len(visit)
    user = visits.user[visit]
    kind = choices.kind
    error = np.where(kind == ERROR, rng.integers(0, len(words.ERRORS), size), -1)
    device = np.where(user < 0, -1, world.people.device[user])
    delay = rng.integers(200, 4_000, size) * 1_000
    is_many = (kind == USE) & (rng.random(size) < 0.03)
    took = (kind == USE) & (rng.random(size) < 0.04)
    flat = np.array([list(words.MODULES).index(m) * 8 + f for m, f in _features()])
    feature = np.searchsorted(flat, choices.module * 8 + choices.feature)
    feature = np.where(choices.module < 0, -1, feature)
    packages = [entry[0] for entry in words.MODULES.values()]
    instants = pl.Datetime("us", "UTC")
    version = (at // DAY_MICROSECONDS - 19_900) // 28
    frame = pl.DataFrame(
        {
            "account_id": _words([a.account_id for a in world.accounts], visits.account[visit]),
            "user_id": _words(world.people.table["user_id"].to_list(), user),
            "occurred_at": pl.Series(at).cast(instants),
            "received_at": pl.Series(at + delay).cast(instants),
            "event_type": _words(list(KINDS), kind),
            "event_name": _words(["report_shared"], np.where(kind == CUSTOM, 0, -1)),
            "package": _words(packages, choices.module),
            "module": _words(list(words.MODULES), choices.module),
            "feature": _words([_name(m, f) for m, f in _features()], feature),
            "duration_seconds": _numbers(rng.integers(20, 900, size), took),
            "quantity": _numbers(rng.integers(2, 25, size), is_many),
            "device": _words(list(words.DEVICES), device),
            "error_fingerprint": _words([e[0] for e in words.ERRORS], error),
            "error_message": _words([e[1] for e in words.ERRORS], error),
            "is_unhandled": pl.Series(np.isin(error, (0, 2))),
        }
    )
    return frame.with_columns(
        event_id=pl.lit(f"ev-{name}-")
        + pl.int_range(1, pl.len() + 1).cast(pl.String).str.zfill(7),
        anonymous_id=_anonymous(visits.account[visit], user, rng),
        app_version=pl.lit("4.") + pl.Series(version).cast(pl.String),
        session_id=_sessions(visit, device, name),
        is_unhandled=pl.when(pl.col("event_type") == "error").then(pl.col("is_unhandled")),
    )  # fmt: skip


def _features() -> list[tuple[str, int]]:
    """Every feature as its module and its place in it."""
    return [(m, f) for m, entry in words.MODULES.items() for f in range(len(entry[2]))]


def _name(module: str, feature: int) -> str:
    return words.MODULES[module][2][feature]


def _words(values: list[str], places: np.ndarray) -> pl.Series:
    """The words at these places; nothing at place -1."""
    known = pl.Series([*values, None], dtype=pl.String)
    return known.gather(pl.Series(np.where(places < 0, len(values), places)))


def _numbers(values: np.ndarray, given: np.ndarray) -> pl.Series:
    """The numbers where `given`, else nothing."""
    return pl.select(pl.when(pl.Series(given)).then(pl.Series(values))).to_series()


def _anonymous(account: np.ndarray, user: np.ndarray, rng: np.random.Generator) -> pl.Series:
    """Half of what runs without a user carries the id of a visitor."""
    visitor = np.where((user < 0) & (rng.random(len(user)) < 0.5), account % 7, -1)
    return _words([f"visitor-{number}" for number in range(7)], visitor)


def _sessions(visit: np.ndarray, device: np.ndarray, name: str) -> pl.Series:
    """The mobile app sends session ids of its own; browsers send none."""
    ids = pl.lit(f"s-{name}-") + pl.Series(visit).cast(pl.String)
    return pl.select(pl.when(pl.Series(device == 3)).then(ids)).to_series()
