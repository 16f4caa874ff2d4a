"""What an operator must hear of, from the ledger and the clock: no release will come that could.

The result of every run is kept, red ones too. A finding is told when it begins, and once; when it
has ended that is told as well.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from assets.alerts.check_history import CheckOutcome, keep_outcomes, read_outcomes
from assets.alerts.expected_sources import LateSource
from assets.alerts.ledger import write_transaction
from assets.alerts.ledger_tables import actions
from assets.alerts.operation_tables import ops_findings, run_results
from assets.alerts.outbox import Message, Outbox
from assets.alerts.receivers import OPS_ROUTE
from assets.alerts.rules import RuleSet

DAILY = "daily"
FRESHNESS = "is_fresh"
"""The check on a raw table that says whether it still comes."""


@dataclass(frozen=True, kw_only=True)
class RunOutcome:
    """How one run ended, with what its checks said; who asked for it, if it wasn't a person."""

    run_id: str
    job: str
    as_of: datetime | None
    is_green: bool
    failures: tuple[str, ...]
    ended_at: datetime
    checks: tuple[CheckOutcome, ...]
    asked_by: str | None = None


@dataclass(frozen=True, kw_only=True)
class OpsFinding:
    """Something that an operator should look at; the key is the same for as long as it lasts."""

    key: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class CurrentRelease:
    """The release that readers open now."""

    release_id: str
    as_of: datetime


def known_runs(engine: sa.Engine) -> set[str]:
    """The runs whose results are in the ledger."""
    with engine.connect() as ledger:
        return set(ledger.scalars(sa.select(run_results.c.run_id)))


def record_runs(engine: sa.Engine, outcomes: Iterable[RunOutcome]) -> int:
    """Keeps the results of runs; one that is known stays as it is. Says how many were new."""
    with write_transaction(engine) as ledger:
        known: set[str] = set(ledger.scalars(sa.select(run_results.c.run_id)))
        new = [found for found in outcomes if found.run_id not in known]
        for found in new:
            _record(ledger, found)
    return len(new)


def is_scheduled(engine: sa.Engine) -> bool:
    """Whether schedule or sensor ever asked for a run that makes a release.

    A demo, a back-fill and a home whose runs a person starts are not: nobody said how old their
    release may be.
    """
    query = sa.select(run_results.c.run_id).where(
        run_results.c.job == DAILY, run_results.c.asked_by.is_not(None)
    )
    with engine.connect() as ledger:
        return ledger.execute(query.limit(1)).first() is not None


def findings(
    engine: sa.Engine,
    current: CurrentRelease | None,
    *,
    now: datetime,
    deadline: timedelta | None,
    late: Iterable[LateSource] = (),
) -> list[OpsFinding]:
    """All that an operator should look at now.

    Args:
        engine: the ledger.
        current: the release that readers open, if there is one.
        now: the wall clock.
        deadline: how old its as-of may be; None where nobody said.
        late: the sources that should have landed by now.
    """
    with engine.connect() as ledger:
        found = [*_of_runs(ledger), *_of_the_outbox(ledger)]
    sources = [OpsFinding(key=f"source {each.source}", sentence=each.sentence) for each in late]
    return [*found, *sources, *_of_the_release(current, now, deadline)]


def news(engine: sa.Engine, found: Iterable[OpsFinding]) -> tuple[list[OpsFinding], list[str]]:
    """The findings that nobody was told of, and the keys of those told that have ended."""
    with engine.connect() as ledger:
        return _news(ledger, list(found))


def report(engine: sa.Engine, found: list[OpsFinding], rules: RuleSet, *, now: datetime) -> int:
    """Tells the `ops` route what began and what ended; says how many things those are."""
    with write_transaction(engine) as ledger:
        begun, ended = _news(ledger, found)
        rows = [{"finding": each.key, "sentence": each.sentence, "began_at": now} for each in begun]
        if rows:
            ledger.execute(sa.insert(ops_findings), rows)
        said = {each.key: ("opened", each.sentence) for each in begun}
        said |= {key: ("resolved", sentence) for key, sentence in _end(ledger, ended, now)}
        Outbox(ledger=ledger, as_of=now, recorded_at=now).put(_messages(said, rules, now))
    return len(said)


def last_runs(engine: sa.Engine, job: str = DAILY, count: int = 2) -> list[RunOutcome]:
    """The newest runs of a job, the newest first, with their checks."""
    with engine.connect() as ledger:
        return _last_runs(ledger, job, count)


def _record(ledger: sa.Connection, found: RunOutcome) -> None:
    ledger.execute(
        sa.insert(run_results).values(
            run_id=found.run_id,
            job=found.job,
            as_of=found.as_of,
            asked_by=found.asked_by,
            is_green=found.is_green,
            failures=list(found.failures),
            ended_at=found.ended_at,
        )
    )
    keep_outcomes(ledger, found.run_id, found.ended_at, found.checks)


def _last_runs(ledger: sa.Connection, job: str, count: int) -> list[RunOutcome]:
    runs = ledger.execute(
        sa.select(run_results)
        .where(run_results.c.job == job)
        .order_by(run_results.c.ended_at.desc(), run_results.c.run_id)
        .limit(count)
    ).all()
    return [
        RunOutcome(
            run_id=run.run_id,
            job=run.job,
            as_of=run.as_of,
            asked_by=run.asked_by,
            is_green=run.is_green,
            failures=tuple(run.failures),
            ended_at=run.ended_at,
            checks=tuple(read_outcomes(ledger, run.run_id)),
        )
        for run in runs
    ]


def _of_runs(ledger: sa.Connection) -> Iterator[OpsFinding]:
    """Of the last run of each job: that it failed, what is red, which table is late."""
    jobs: list[str] = list(ledger.scalars(sa.select(run_results.c.job).distinct()))
    for job in sorted(jobs):
        (run,) = _last_runs(ledger, job, 1)
        if not run.is_green:
            why = run.failures[0] if run.failures else "the log says why"
            yield OpsFinding(key=f"run {job}", sentence=f"The last run of {job} failed: {why}")
        for check in run.checks:
            if not check.passed and check.severity == "block":
                yield OpsFinding(
                    key=f"check {check.name}",
                    sentence=f"{check.name} is red, no release: {check.summary}",
                )
            elif not check.passed and check.check == FRESHNESS:
                yield OpsFinding(
                    key=f"late {check.asset}", sentence=f"{check.asset} is late: {check.summary}"
                )


def _of_the_outbox(ledger: sa.Connection) -> Iterator[OpsFinding]:
    """Dead letters by channel; those of the ops route itself are for `csw status`."""
    query = (
        sa.select(actions.c.channel, sa.func.count())
        .where(actions.c.state == "dead", actions.c.kind != "ops")
        .group_by(actions.c.channel)
        .order_by(actions.c.channel)
    )
    for channel, count in ledger.execute(query):
        yield OpsFinding(
            key=f"dead letters {channel}",
            sentence=f"Messages by {channel} were given up ({count}); see csw status.",
        )


def _of_the_release(
    current: CurrentRelease | None, now: datetime, deadline: timedelta | None
) -> Iterator[OpsFinding]:
    if current is None:
        yield OpsFinding(key="no release", sentence="There is no release.")
    elif deadline is not None and now - current.as_of > deadline:
        hours = (now - current.as_of) / timedelta(hours=1)
        yield OpsFinding(
            key="release",
            sentence=f"The release {current.release_id} is {hours:.0f} hours old, at most "
            f"{deadline / timedelta(hours=1):.0f} are allowed: a run failed or never came.",
        )


def _news(ledger: sa.Connection, found: list[OpsFinding]) -> tuple[list[OpsFinding], list[str]]:
    query = sa.select(ops_findings.c.finding).where(ops_findings.c.ended_at.is_(None))
    told: set[str] = set(ledger.scalars(query))
    keys = {each.key for each in found}
    return [each for each in found if each.key not in told], sorted(told - keys)


def _end(ledger: sa.Connection, keys: list[str], now: datetime) -> list[tuple[str, str]]:
    is_over = sa.and_(ops_findings.c.finding.in_(keys), ops_findings.c.ended_at.is_(None))
    query = sa.select(ops_findings.c.finding, ops_findings.c.sentence).where(is_over)
    rows = [(row.finding, row.sentence) for row in ledger.execute(query)]
    ledger.execute(sa.update(ops_findings).where(is_over).values(ended_at=now))
    return rows


def _messages(said: dict[str, tuple[str, str]], rules: RuleSet, now: datetime) -> Iterator[Message]:
    for key, (transition, sentence) in said.items():
        for route in rules.routes_of(OPS_ROUTE):
            if transition in route.sends:
                yield Message(
                    kind="ops",
                    subject=f"{key} {transition} {now.isoformat()}",
                    ordinal=1,
                    route=route,
                    payload={
                        "transition": transition,
                        "severity": "critical",
                        "sentence": sentence,
                        "what_to_do": "csw status says how things stand.",
                        "finding": key,
                        "at": now.isoformat(),
                    },
                    day=date(now.year, now.month, now.day),
                )
