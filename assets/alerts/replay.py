"""What rules would have fired over past days, by the evaluation itself, without telling anybody.

Each day is judged as it was shown by the release that brought it, in a ledger that is thrown away.
What people did is not replayed: an alert that was resolved by hand stays open until it recovers.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import sqlalchemy as sa

from assets.alerts.evaluation import take_release
from assets.alerts.ledger import create_ledger, write_transaction
from assets.alerts.ledger_tables import alerts
from assets.alerts.published import Release, published_releases
from assets.alerts.recording import Recorder
from assets.alerts.release_files import open_release
from assets.alerts.rules import RuleSet
from assets.alerts.transitions import HeldRule, Transition

OUTCOME_DAYS = 90
"""How long after an alert a churn still counts as foretold."""


class ReplayError(ValueError):
    """There is nothing to replay; the message says why."""


@dataclass(frozen=True, kw_only=True)
class ReplayedAlert:
    """One alert that would have been; `lost_on` is its account's churn within 90 days."""

    rule: str
    account_id: str
    dimensions: str
    opened_on: date
    resolved_on: date | None
    resolved_how: str | None
    sentence: str
    lost_on: date | None = None


@dataclass(frozen=True, kw_only=True)
class Replay:
    """What came of a replay over the days from `first` to `last`."""

    first: date
    last: date
    alerts: tuple[ReplayedAlert, ...]
    transitions: tuple[Transition, ...]
    held: tuple[HeldRule, ...]
    notes: frozenset[str]
    customers: int

    def of(self, rule: str) -> tuple[ReplayedAlert, ...]:
        """The alerts of one rule."""
        return tuple(alert for alert in self.alerts if alert.rule == rule)


@dataclass(frozen=True, kw_only=True)
class Performance:
    """How good a rule's alerts are; `precision` is of those whose outcome is known."""

    alerts: int
    accounts: int
    still_open: int
    mean_days_open: float | None
    outcomes: int
    lost: int

    @property
    def precision(self) -> float | None:
        """The share of alerts whose account was lost within 90 days."""
        return self.lost / self.outcomes if self.outcomes else None


def replay(releases: Path, rules: RuleSet, first: date, last: date) -> Replay:
    """Takes rules through past days.

    Args:
        releases: the folder of releases.
        rules: the rules; nothing of their routes and workflows is done.
        first: the day on which the rules begin.
        last: the last day.

    Raises:
        ReplayError: no release has any of the days.
    """
    silent = replace(rules, routes=(), workflows=())
    planned = list(_planned(published_releases(releases), first, last))
    if not planned:
        raise ReplayError(f"no release has a day between {first} and {last}")
    transitions: list[Transition] = []
    held: list[HeldRule] = []
    notes: set[str] = set()
    with _scratch_ledger() as engine:
        for release, days in planned:
            with write_transaction(engine) as ledger:
                recorder = Recorder(
                    ledger=ledger, release=release, rules=silent, recorded_at=release.as_of
                )
                done = take_release(recorder, days)
            transitions += done.transitions
            held += done.held
            notes.update(done.notes)
        found = _alerts(engine)
    newest = max((release for release, _ in planned), key=lambda release: release.sequence)
    lost, customers = _outcomes(newest, found, last)
    return Replay(
        first=first,
        last=planned[-1][1][-1],
        alerts=tuple(replace(alert, lost_on=day) for alert, day in zip(found, lost, strict=True)),
        transitions=tuple(transitions),
        held=tuple(held),
        notes=frozenset(notes),
        customers=customers,
    )


def performance(found: tuple[ReplayedAlert, ...], last: date) -> Performance:
    """Sums up alerts as of the last day that was replayed."""
    durations = [(alert.resolved_on - alert.opened_on).days for alert in found if alert.resolved_on]
    with_outcome = [
        alert
        for alert in found
        if alert.lost_on or alert.opened_on + timedelta(days=OUTCOME_DAYS) <= last
    ]
    return Performance(
        alerts=len(found),
        accounts=len({alert.account_id for alert in found}),
        still_open=sum(alert.resolved_on is None for alert in found),
        mean_days_open=sum(durations) / len(durations) if durations else None,
        outcomes=len(with_outcome),
        lost=sum(alert.lost_on is not None for alert in with_outcome),
    )


def last_day(releases: Path) -> date | None:
    """The last day that any release has."""
    return max((found.last_full_day for found in published_releases(releases)), default=None)


def _planned(
    published: list[Release], first: date, last: date
) -> Iterator[tuple[Release, list[date]]]:
    """Each release with the days that it brought; the rules begin on the first day alone."""
    begins = first
    for release in published:
        ends = min(release.last_full_day, last)
        days = [begins + timedelta(days=n) for n in range((ends - begins).days + 1)]
        if not days:
            continue
        if days[0] == first and days[1:]:
            yield replace(release, id=f"{release.id}:begin", sequence=-1), days[:1]
            days = days[1:]
        yield release, days
        begins = ends + timedelta(days=1)


@contextmanager
def _scratch_ledger() -> Iterator[sa.Engine]:
    with tempfile.TemporaryDirectory() as folder:
        engine = create_ledger(f"sqlite:///{folder}/ledger.sqlite")
        try:
            yield engine
        finally:
            engine.dispose()


def _alerts(engine: sa.Engine) -> list[ReplayedAlert]:
    names = [name for name in ReplayedAlert.__dataclass_fields__ if name != "lost_on"]
    query = sa.select(*(alerts.c[name] for name in names)).order_by(
        alerts.c.opened_on, alerts.c.account_id, alerts.c.rule, alerts.c.dimensions
    )
    with engine.connect() as ledger:
        return [ReplayedAlert(**row) for row in ledger.execute(query).mappings()]


def _outcomes(
    release: Release, found: list[ReplayedAlert], last: date
) -> tuple[list[date | None], int]:
    """The day on which each alert's account churned, and how many customers the last day has."""
    with open_release(release) as reader:
        churned = reader.churned_days()
        customers = reader.count_customers(last)
    lost = []
    for alert in found:
        until = alert.opened_on + timedelta(days=OUTCOME_DAYS)
        days = churned.get(alert.account_id, [])
        lost.append(next((day for day in days if alert.opened_on < day <= until), None))
    return lost, customers
