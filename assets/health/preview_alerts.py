"""What a copied build would have fired over past days: the replay, over a release that is none."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from assets.alerts.replay import Replay, ReplayedAlert, replay
from assets.alerts.rules import RuleSet
from assets.alerts.transitions import HeldRule


@dataclass(frozen=True, kw_only=True)
class AlertsBeside:
    """Two replays of the same rules over the same days.

    Attributes:
        first: the first day.
        last: the last day.
        counts: by rule, the alerts as shown and under the edited seeds; rules without any are left
            out.
        gained: alerts that only the edited seeds would have raised, in the order of their days.
        lost: alerts that they would not have.
        held: by rule, on how many of the days it is held for firing for too many accounts, as shown
            and under the edited seeds: what is held fires for nobody.
    """

    first: date
    last: date
    counts: dict[str, tuple[int, int]]
    gained: Sequence[ReplayedAlert]
    lost: Sequence[ReplayedAlert]
    held: dict[str, tuple[int, int]]


def fired(
    build: Path, rules: RuleSet, days: tuple[date, date], as_of: datetime, time_zone: str
) -> Replay:
    """Replays rules over the tables of a build, which must be closed.

    Raises:
        ReplayError: the build has none of the days.
        ReleaseError: the build can't be read.
    """
    manifest = {"id": "build", "sequence": 1, "as_of": as_of.isoformat(), "time_zone": time_zone}
    with TemporaryDirectory() as releases:
        folder = Path(releases) / "build"
        folder.mkdir()
        (folder / "csw.duckdb").symlink_to(build.resolve())
        (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        return replay(Path(releases), rules, *days)


def days_judged_anew(rules: RuleSet, days: int) -> int:
    """How many days are judged by the edited seeds, so that no rule looks back to one that is not.

    One more than that: what the edit alone moves is moved on the first of them.
    """
    return days + max((rule.looks_back or 0 for rule in rules.enabled), default=0) + 1


def beside(shown: Replay, edited: Replay) -> AlertsBeside:
    """The two replays side by side; an alert is the same by rule, account, scope and day."""
    return AlertsBeside(
        first=edited.first,
        last=edited.last,
        counts=_counts(shown.alerts, edited.alerts),
        gained=_without(edited.alerts, shown.alerts),
        lost=_without(shown.alerts, edited.alerts),
        held=_counts(shown.held, edited.held),
    )


def _counts(
    shown: Sequence[ReplayedAlert | HeldRule], edited: Sequence[ReplayedAlert | HeldRule]
) -> dict[str, tuple[int, int]]:
    before = Counter(found.rule for found in shown)
    after = Counter(found.rule for found in edited)
    return {rule: (before[rule], after[rule]) for rule in sorted({*before, *after})}


def _without(
    ours: Sequence[ReplayedAlert], theirs: Sequence[ReplayedAlert]
) -> tuple[ReplayedAlert, ...]:
    known = {_identity(alert) for alert in theirs}
    return tuple(sorted((a for a in ours if _identity(a) not in known), key=_identity))


def _identity(alert: ReplayedAlert) -> tuple[date, str, str, str]:
    return alert.opened_on, alert.rule, alert.account_id, alert.dimensions
