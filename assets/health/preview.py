"""What edited health seeds would make of the last shown days; the build is only copied."""

import shutil
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb

MODELS = (
    "resource_type:seed",
    *(
        f"{seed}+,+{mart}"
        for seed in ("health_profiles", "health_conditions")
        for mart in ("fct_health_changes", "health_reasons", "account_kpis")
    ),
)
"""What is built anew in the copy: what follows from the health seeds, up to what rules read."""

_JUDGED = (
    "fct_account_health_daily",
    "fct_health_conditions_daily",
    "fct_health_changes",
    "account_scoped_metrics_daily",
    "account_kpis_daily",
)


@dataclass(frozen=True, kw_only=True)
class Moved:
    """One account whose state or score would be another.

    Attributes:
        reason: the first reason under the edited seeds.
    """

    account_id: str
    account_name: str | None
    state_before: str
    state: str
    score_before: Decimal | None
    score: Decimal | None
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What the edited seeds would make of a day.

    Attributes:
        accounts: how many accounts have each state, before and after.
        moved: the accounts whose state or score differs, changed states and largest changes first.
    """

    day: date
    accounts: dict[str, tuple[int, int]]
    moved: list[Moved]


def copy_build(build: Path, copy: Path) -> tuple[date, datetime] | None:
    """Copies the build, which nobody writes.

    Returns:
        The last day that was shown, and the as-of instant of the release that showed it; None where
        nothing was shown.
    """
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(build, copy)
    with duckdb.connect(str(copy), read_only=True) as connection:
        row = connection.execute(
            "select (select max(day) from history.fct_account_health_daily), "
            "(select max(as_of) from history.releases)"
        ).fetchone()
    day, as_of = row or (None, None)
    return None if day is None or as_of is None else (day, as_of)


def forget_judgements(copy: Path, day: date, days: int) -> None:
    """Forgets in a copy how its last days, up to a day, were judged, and lays that aside."""
    with duckdb.connect(str(copy)) as connection:
        connection.execute("create or replace schema preview")
        connection.execute(
            "create table preview.health as "
            "select * from history.fct_account_health_daily where day > ?",
            [day - timedelta(days=days)],
        )
        for table in _JUDGED:
            connection.execute(
                f"delete from history.{table} where day > ?",  # noqa: S608 - our own names
                [day - timedelta(days=days)],
            )


def compare(copy: Path, day: date) -> Preview:
    """The day as it was shown beside the day under the edited seeds, once they are built."""
    with duckdb.connect(str(copy), read_only=True) as connection:
        states = connection.execute(_STATES, [day]).fetchall()
        moved = connection.execute(_MOVED, [day]).fetchall()
    return Preview(
        day=day,
        accounts={state: (before, after) for state, before, after in states},
        moved=[
            Moved(
                account_id=account_id,
                account_name=name,
                state_before=state_before,
                state=state,
                score_before=score_before,
                score=score,
                reason=reason,
            )
            for account_id, name, state_before, state, score_before, score, reason in moved
        ],
    )


def write_days(copy: Path, first: date, file: Path) -> int:
    """Writes the days from one on as CSV: as shown, and beside it by the seeds now.

    Returns:
        How many account-days it wrote.
    """
    with duckdb.connect(str(copy), read_only=True) as connection:
        days = connection.sql(_BESIDE, params=[first])
        days.write_csv(str(file), header=True)
        return len(days)


_BESIDE = """
    select
        after.account_id, after.day,
        before.profile as profile_shown, before.score as score_shown,
        before.state as state_shown, before.configuration_version as configuration_shown,
        after.profile as profile_now, after.score as score_now, after.state as state_now
    from health.fct_account_health_daily as after
    inner join preview.health as before
        on after.account_id = before.account_id and after.day = before.day
    where after.day >= ?
    order by after.account_id, after.day
"""
_STATES = """
    select states.state, count(before.state), count(after.state)
    from (values (1, 'good'), (2, 'average'), (3, 'poor'), (4, 'unknown')) as states (place, state)
    cross join health.fct_account_health_daily as judged
    left join preview.health as before
        on judged.account_id = before.account_id and judged.day = before.day
        and before.state = states.state
    left join health.fct_account_health_daily as after
        on judged.account_id = after.account_id and judged.day = after.day
        and after.state = states.state
    where judged.day = ?
    group by states.place, states.state
    order by states.place
"""
_MOVED = """
    select
        after.account_id, accounts.account_name, before.state, after.state,
        before.score, after.score, reasons.sentence
    from health.fct_account_health_daily as after
    inner join preview.health as before
        on after.account_id = before.account_id and after.day = before.day
    left join accounts.dim_accounts as accounts on after.account_id = accounts.account_id
    left join health.health_reasons as reasons
        on after.account_id = reasons.account_id and reasons.position = 1
    where after.day = ?
        and (after.state <> before.state or after.score is distinct from before.score)
    order by
        after.state = before.state, abs(after.score - before.score) desc nulls last,
        after.account_id
"""
