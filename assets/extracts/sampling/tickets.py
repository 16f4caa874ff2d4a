"""The sample's tickets: a few everywhere, many and urgent ones where an account is in trouble."""

from datetime import datetime

import numpy as np
import polars as pl

from assets.extracts.sampling import words
from assets.extracts.sampling.accounts import Account
from assets.extracts.sampling.moments import INSTANT, happened
from assets.extracts.sampling.people import NEVER
from assets.extracts.sampling.world import World, season

PRIORITIES = tuple(words.TICKET_SUBJECTS)
_TEXTS = ("account_id", "subject", "priority", "type", "assignee_id")
# Chance of each priority where all is well, and in deep trouble.
CALM = np.array([0.34, 0.45, 0.17, 0.04])
STRAINED = np.array([0.08, 0.24, 0.34, 0.34])
ANSWER_HOURS = np.array([9.0, 5.0, 2.5, 1.0])
SOLVE_HOURS = np.array([70.0, 46.0, 26.0, 14.0])


def draw_tickets(world: World, days: np.ndarray, name: str, *key: int) -> pl.DataFrame:
    """The tickets that are opened on some consecutive days, with all that will become of them.

    Args:
        world: the plan.
        days: consecutive days since 1970.
        name: begins every ticket's id.
        key: chooses the draw, beside the world's seed.
    """
    rng = np.random.default_rng([world.seed, 7, *key])
    strains = world.strains(days)
    accounts = world.present(days)
    people = np.array([account.users for account in accounts], dtype=np.int64)[:, None]
    created = np.array([account.created_day for account in accounts], dtype=np.int64)[:, None]
    left = np.array([_last_day(a) for a in accounts], dtype=np.int64)[:, None]
    exists = (created < days) & (days <= left + 20)
    usual = 0.006 * np.sqrt(people) * (1 + 4 * strains)
    rate = (usual + 0.16 * strains) * np.sqrt(season(days)) * exists
    count = rng.poisson(rate)
    day, account = np.nonzero(count.T)
    opened = count[account, day]
    account, day = np.repeat(account, opened), np.repeat(day, opened)
    return _frame(world, days[day], account, strains[account, day], name, rng)


def _last_day(account: Account) -> int:
    """The day after which nobody of the account asks anything any more."""
    stays = account.left_day is None or account.back_day is not None
    return NEVER // 2 if stays or account.left_day is None else account.left_day


def _frame(
    world: World,
    day: np.ndarray,
    account: np.ndarray,
    strain: np.ndarray,
    name: str,
    rng: np.random.Generator,
) -> pl.DataFrame:
    """The tickets' rows, one for each (day, account) given."""
    size = len(day)
    chance = np.cumsum(CALM * (1 - strain[:, None]) + STRAINED * strain[:, None], axis=1)
    priority = np.minimum((rng.random(size)[:, None] > chance).sum(axis=1), 3)
    created = day * 86_400 + 25_200 + rng.integers(0, 36_000, size)
    answer = created + ANSWER_HOURS[priority] * 3_600 * rng.lognormal(0, 0.7, size)
    # Trouble is what nobody gets round to solving.
    slow = np.where(rng.random(size) < 0.65 * strain, 40.0, 1.0)
    solved = answer + SOLVE_HOURS[priority] * slow * 3_600 * rng.lognormal(0, 0.6, size)
    start = world.first_user[account]
    user = start + (rng.random(size) * (world.first_user[account + 1] - start)).astype(np.int64)
    user = np.where(world.people.created_day[user] <= day, user, start)
    asks = world.people.table[user.tolist()]
    subject = rng.integers(0, 3, size)
    scored = np.where(rng.random(size) < 0.45, np.clip(rng.normal(4.3, 0.8, size), 1, 5), 0)
    return pl.DataFrame(
        {
            "account_id": [world.accounts[place].account_id for place in account],
            "requester_id": asks["user_id"],
            "requester_email": asks["email"],
            "subject": [
                words.TICKET_SUBJECTS[PRIORITIES[p]][s]
                for p, s in zip(priority, subject, strict=True)
            ],
            "priority": [PRIORITIES[place] for place in priority],
            "type": [words.TICKET_TYPES[place] for place in rng.integers(0, 4, size)],
            "assignee_id": [f"agent-{place + 1}" for place in rng.integers(0, 4, size)],
            "created_at": _instants(created),
            "first_response_at": _instants(answer),
            "solved_at": _instants(solved),
            "closed_at": _instants(solved + 4 * 86_400),
            "satisfaction_score": np.round(scored),
            "is_escalated": (priority == 3) & (rng.random(size) < 0.3),
            "is_spam": rng.random(size) < 0.006,
            "is_deleted": np.zeros(size, dtype=bool),
            "_is_reopened": rng.random(size) < 0.06,
        },
        # A month without a ticket has these columns too.
        schema_overrides=dict.fromkeys(_TEXTS, pl.String),
    ).with_columns(
        ticket_id=pl.lit(f"t-{name}-") + pl.int_range(1, pl.len() + 1).cast(pl.String).str.zfill(3),
        tags=pl.col("type"),
    )


def _instants(seconds: np.ndarray) -> pl.Series:
    return pl.Series(seconds.astype(np.int64) * 1_000_000).cast(INSTANT)


def known_tickets(tickets: pl.DataFrame, end: datetime) -> pl.DataFrame:
    """What the help desk says just before `end`."""
    moment = pl.lit(end, dtype=INSTANT)
    happenings = ("first_response_at", "closed_at")
    known = tickets.filter(pl.col("created_at") < moment).with_columns(
        _last_solved(moment).alias("solved_at"),
        *(happened(name, moment) for name in happenings),
        # What is escalated was urgent from the first response on.
        priority=pl.when("is_escalated", pl.col("first_response_at") >= moment)
        .then(pl.lit("high"))
        .otherwise("priority"),
    )
    score = pl.col("satisfaction_score")
    status = (
        pl.when(pl.col("closed_at").is_not_null()).then(pl.lit("closed"))
        .when(pl.col("solved_at").is_not_null()).then(pl.lit("solved"))
        .when(pl.col("first_response_at").is_not_null()).then(pl.lit("pending"))
        .otherwise(pl.lit("open"))
    )  # fmt: skip
    return known.with_columns(
        status=status,
        satisfaction_score=pl.when(pl.col("solved_at").is_not_null() & (score > 0)).then(score),
        url=pl.lit("https://desk.example/tickets/") + pl.col("ticket_id"),
        updated_at=pl.max_horizontal("created_at", "solved_at", *happenings),
    )


def known_ticket_changes(tickets: pl.DataFrame, end: datetime) -> pl.DataFrame:
    """The changes of status and priority that the help desk has noted before `end`."""
    steps = [
        _step(tickets, pl.col("first_response_at"), "status", "open", "pending"),
        _step(tickets, pl.col("solved_at"), "status", "pending", "solved"),
        _step(tickets, pl.col("closed_at"), "status", "solved", "closed"),
        _step(
            tickets.filter("is_escalated"),
            pl.col("first_response_at"), "priority", "high", "urgent",
        ),
        _step(tickets.filter("_is_reopened"), _SOLVED_TOO_SOON, "status", "pending", "solved"),
        _step(tickets.filter("_is_reopened"), _REOPENED, "status", "solved", "pending"),
    ]  # fmt: skip
    known = pl.concat(steps).filter(pl.col("changed_at") < pl.lit(end, dtype=INSTANT))
    return known.sort("changed_at", "ticket_id", "field")


def _step(
    tickets: pl.DataFrame, changed_at: pl.Expr, field: str, old_value: str, new_value: str
) -> pl.DataFrame:
    return tickets.select(
        "ticket_id",
        changed_at.alias("changed_at"),
        field=pl.lit(field),
        old_value=pl.lit(old_value),
        new_value=pl.lit(new_value),
    )


# A ticket that is reopened was first said to be solved too soon, between answer and solution.
_WORK = pl.col("solved_at") - pl.col("first_response_at")
_SOLVED_TOO_SOON = pl.col("first_response_at") + _WORK * 0.4
_REOPENED = pl.col("first_response_at") + _WORK * 0.6


def _last_solved(moment: pl.Expr) -> pl.Expr:
    """When a ticket was solved that is not open again just before `moment`."""
    is_too_soon = pl.col("_is_reopened") & moment.is_between(
        _SOLVED_TOO_SOON, _REOPENED, closed="right"
    )
    return (
        pl.when(pl.col("solved_at") < moment).then("solved_at")
        .when(is_too_soon).then(_SOLVED_TOO_SOON)
    )  # fmt: skip
