"""What rules would have fired over past days, by the evaluation itself, without telling anybody.

Each day is judged as it was shown by the release that brought it, in a ledger that is thrown away.
What people did is not replayed: an alert that was resolved by hand stays open until it recovers.
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType

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


def replay(
    releases: Path,
    rules: RuleSet,
    first: date,
    last: date,
    begun: Mapping[str, date] = MappingProxyType({}),
) -> Replay:
    """Takes rules through past days.

    Args:
        releases: the folder of releases.
        rules: the rules; nothing of their routes and workflows is done.
        first: the first day that is told of.
        last: the last day.
        begun: the days on which rules began to be judged (`activation_days`). One that was judged
            before `first` is taken through the days from then on, so that it comes to `first` with
            what it remembered there; any other begins on `first`.

    Raises:
        ReplayError: no release has any of the days.
    """
    silent = replace(rules, routes=(), workflows=())
    begins = {rule.rule: min(begun.get(rule.rule, first), first) for rule in rules.enabled}
    planned = list(_planned(published_releases(releases), {*begins.values(), first}, last))
    if not planned or planned[-1][1][-1] < first:
        raise ReplayError(f"no release has a day between {first} and {last}")
    transitions: list[Transition] = []
    held: list[HeldRule] = []
    notes: set[str] = set()
    with _scratch_ledger() as engine:
        for release, days in planned:
            by_then = tuple(rule for rule in silent.enabled if begins[rule.rule] <= days[-1])
            with write_transaction(engine) as ledger:
                recorder = Recorder(
                    ledger=ledger,
                    release=release,
                    rules=replace(silent, rules=by_then),
                    recorded_at=release.as_of,
                )
                done = take_release(recorder, days)
            transitions += [each for each in done.transitions if each.day >= first]
            held += [each for each in done.held if each.day >= first]
            notes.update(done.notes)
        found = [alert for alert in _alerts(engine) if alert.opened_on >= first]
    newest = max((release for release, _ in planned), key=lambda release: release.sequence)
    ends = planned[-1][1][-1]
    lost, customers = _outcomes(newest, found, ends)
    return Replay(
        first=first,
        last=ends,
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
    published: list[Release], begins: set[date], last: date
) -> Iterator[tuple[Release, list[date]]]:
    """Each release with the days that it brought, cut after each day on which rules begin.

    A rule that is new judges the newest day of those that are taken together.
    """
    day = min(begins)
    for release in published:
        ends = min(release.last_full_day, last)
        days = [day + timedelta(days=n) for n in range((ends - day).days + 1)]
        while days:
            cut = next((n for n, each in enumerate(days[:-1], 1) if each in begins), None)
            if cut:
                part = replace(release, id=f"{release.id}:{day}", sequence=-day.toordinal())
                yield part, days[:cut]
            else:
                yield release, days
            day = days[cut - 1 if cut else -1] + timedelta(days=1)
            days = days[cut:] if cut else []


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
