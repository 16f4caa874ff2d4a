"""What moved a score over days: edits and gaps that no single day shows."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.unit.alerts.releases_by_hand import march, series
from tests.unit.alerts.rules_by_hand import rule, ruleset
from tests.unit.alerts.test_triggers import CHANGES, change, judge, seen

FELL = {"threshold": -15, "change": "amount", "window_days": 3, "recover_at": -5}


def test_a_fall_over_days_that_an_edit_made_fires_for_nobody(
    ledger: sa.Engine, releases: Path
) -> None:
    """New weights moved all scores on one day, and each change over a week holds that day."""
    scores = [80, 80, 60, 60, 60, 60, 40]
    more = (CHANGES, change(3, -20, weights=-20), change(7, -20, inputs=-20))
    found = judge(ledger, releases, ruleset(rule(**FELL)), series("a", scores), *more)
    assert seen(found) == [
        (march(4), "suppressed", "configuration"),
        (march(7), "opened", "crossed"),
    ]


@pytest.mark.parametrize(
    ("edit", "kind", "cause"),
    [(-10, "opened", "crossed"), (-20, "suppressed", "configuration")],
)
def test_a_fall_in_per_cent_is_judged_without_the_edit_s_part(
    ledger: sa.Engine, releases: Path, edit: int, kind: str, cause: str
) -> None:
    """80 to 40 is half; without 10 points it is 38 %, and without 20 no more than a quarter."""
    percent = FELL | {"threshold": -0.25, "change": "percent", "recover_at": -0.1}
    more = (CHANGES, change(3, edit, thresholds=edit), change(4, -40 - edit, inputs=-40 - edit))
    scores = [80, 80, 80 + edit, 40]
    found = judge(ledger, releases, ruleset(rule(**percent)), series("a", scores), *more)
    assert seen(found) == [(march(4), kind, cause)]


def test_a_score_that_creeps_up_while_an_input_fades_is_no_recovery(
    ledger: sa.Engine, releases: Path
) -> None:
    """A stale input loses its weight over weeks: on no day does the score rise by much."""
    gone = f"where day between '{march(2)}' and '{march(6)}'"
    more = (
        CHANGES,
        *(change(day, 2, missing=2) for day in range(2, 7)),
        change(7, -10, missing=-10),
        change(8, 10, inputs=10),
        "alter table health.fct_account_health_daily add column lost_inputs varchar",
        f"update health.fct_account_health_daily set lost_inputs = 'tickets' {gone}",  # noqa: S608
    )
    scores = [39, 41, 43, 45, 47, 49, 39, 49]
    found = judge(ledger, releases, ruleset(rule()), series("a", scores), *more)
    assert seen(found) == [(march(1), "opened", "crossed"), (march(8), "resolved", "recovered")]
