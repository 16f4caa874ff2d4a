"""Evaluates the rules over every release and data day that the ledger hasn't seen.

The ledger after an evaluation is a pure function of rules and releases: it doesn't matter how often
the evaluation was woken, how many releases it found waiting, or where it was killed. All of one
release commits in one transaction.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import sqlalchemy as sa

from assets.alerts.activation import active_rules, ended_rules, forget, remember, schedule
from assets.alerts.days import DayWalk
from assets.alerts.findings import endings
from assets.alerts.ledger import create_ledger, write_transaction
from assets.alerts.ledger_tables import evaluations
from assets.alerts.memory import load_memory, load_milestones, save_memory
from assets.alerts.published import Release, published_releases
from assets.alerts.recording import Recorder
from assets.alerts.release_files import ReleaseReader, open_release
from assets.alerts.rules import Rule, RuleSet
from assets.alerts.scopes import spoken
from assets.alerts.transitions import Evaluation


@dataclass(frozen=True, kw_only=True)
class _Progress:
    """How far the ledger has come."""

    sequence: int | None
    day: date | None
    release_ids: frozenset[str]

    def is_behind(self, release: Release) -> bool:
        """Whether a release comes after the last one in order of publication."""
        is_later = self.sequence is None or release.sequence > self.sequence
        return is_later and release.id not in self.release_ids

    def days_to(self, release: Release) -> list[date]:
        """The days that a release adds; the newest alone if there was no evaluation before."""
        last = release.last_full_day
        if self.day is None:
            return [last]
        return [self.day + timedelta(days=n + 1) for n in range((last - self.day).days)]


def evaluate(
    engine: sa.Engine, releases: Path, rules: RuleSet, *, recorded_at: datetime
) -> list[Evaluation]:
    """Takes every release after the ledger's last one, in order of publication.

    Args:
        engine: the ledger (`create_ledger`).
        releases: the folder that holds one folder per release.
        rules: the rules and routes (`read_rules`).
        recorded_at: the wall clock, stored for people only.

    Returns:
        One evaluation per release that was new; nothing if there was none.

    Raises:
        ReleaseError: a release can't be read. The releases before it are evaluated, it and the
            later ones are not.
    """
    with engine.connect() as ledger:
        progress = _progress(ledger)
    waiting = [found for found in published_releases(releases) if progress.is_behind(found)]
    done = []
    for release in waiting:
        with write_transaction(engine) as ledger:
            # Asked again under the lock: another evaluation may have taken it meanwhile.
            progress = _progress(ledger)
            if progress.is_behind(release):
                recorder = Recorder(
                    ledger=ledger, release=release, rules=rules, recorded_at=recorded_at
                )
                done.append(take_release(recorder, progress.days_to(release)))
    return done


def last_evaluated_sequence(url: str) -> int:
    """Place of the last release that the ledger has seen; 0 before the first."""
    engine = create_ledger(url)
    try:
        with engine.connect() as ledger:
            return _progress(ledger).sequence or 0
    finally:
        engine.dispose()


def _progress(ledger: sa.Connection) -> _Progress:
    rows = ledger.execute(
        sa.select(evaluations.c.release_id, evaluations.c.sequence, evaluations.c.to_day)
    ).all()
    return _Progress(
        sequence=max((row.sequence for row in rows), default=None),
        day=max((row.to_day for row in rows if row.to_day), default=None),
        release_ids=frozenset(row.release_id for row in rows),
    )


def take_release(recorder: Recorder, days: list[date]) -> Evaluation:
    """Takes a release's new days, and records that it was taken, in the caller's transaction."""
    release = recorder.release
    evaluation = Evaluation(release_id=release.id, sequence=release.sequence)
    if days:
        with open_release(release) as reader:
            evaluation = _evaluate_days(recorder, reader, days)
    recorder.ledger.execute(
        sa.insert(evaluations).values(
            release_id=release.id,
            sequence=release.sequence,
            as_of=release.as_of,
            from_day=min(days, default=None),
            to_day=max(days, default=None),
            days=len(days),
            rules=evaluation.rules,
            judged=evaluation.judged,
            opened=evaluation.opened,
            resolved=evaluation.resolved,
            suppressed=evaluation.suppressed,
            unjudged=evaluation.unjudged,
            attribute_missing=evaluation.attribute_missing,
            notes=list(evaluation.notes),
            recorded_at=recorder.recorded_at,
        )
    )
    return evaluation


def _evaluate_days(recorder: Recorder, reader: ReleaseReader, days: list[date]) -> Evaluation:
    ledger, release = recorder.ledger, recorder.release
    active = active_rules(ledger)
    judgeable = [rule for rule in recorder.rules.enabled if reader.can_judge(rule)]
    ended = ended_rules(active, recorder.rules)
    before = load_memory(ledger)
    begun = {rule.rule for rule in judgeable if rule.is_once} - set(active)
    memory = pl.concat([before, load_milestones(ledger, begun)])
    walk = DayWalk(recorder=recorder, reader=reader, memory=memory)
    walk.end(endings(ledger, ended, days[0], walk.units), set(ended))
    for day, planned in schedule(days, judgeable, set(active)).items():
        walk.take(day, planned, is_new=day in days)
    save_memory(ledger, before, walk.memory)
    forget(ledger, ended)
    remember(ledger, judgeable, active, days[-1], release.id)
    return Evaluation(
        release_id=release.id,
        sequence=release.sequence,
        days=tuple(days),
        rules=len(judgeable),
        judged=walk.judged,
        unjudged=walk.unjudged,
        attribute_missing=walk.attribute_missing,
        transitions=tuple(walk.transitions),
        held=tuple(walk.held),
        notes=tuple(_notes(recorder.rules, judgeable, reader)),
    )


def _notes(rules: RuleSet, judgeable: list[Rule], reader: ReleaseReader) -> Iterator[str]:
    """What the release can't say of rules, or of some of their scopes."""
    for rule in rules.enabled:
        lacking = ", ".join(map(spoken, reader.lacking_scopes(rule)))
        what = f"{rule.metric} of {lacking}" if lacking else rule.metric
        if rule not in judgeable:
            yield f"{rule.rule} was not judged: the release holds no metric {what}"
        elif lacking:
            yield f"{rule.rule} was not judged of {lacking}: the release holds no {what}"
