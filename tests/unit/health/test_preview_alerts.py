"""Two replays beside one another: what edited seeds would have fired, and what was fired."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb

from assets.alerts.rules import RuleSet
from assets.health.preview_alerts import beside, days_judged_anew, fired
from tests.unit.alerts.releases_by_hand import march, publish, series
from tests.unit.alerts.rules_by_hand import rule, ruleset

RULES: RuleSet = ruleset(rule())
DAYS = (march(2), march(5))


def test_alerts_are_those_of_the_days_and_side_by_side(tmp_path: Path) -> None:
    """A preview that counts an alert twice, or that two releases have alike as gained and lost.

    Health falls below the rule's 40 on the 3rd for `a` and, by other seeds, on the 4th for `b`.
    """
    shown = publish(
        tmp_path, 1, march(5), [*series("a", [50, 50, 30, 30, 30]), *series("b", [50] * 5)]
    )
    edited = publish(
        tmp_path, 2, march(5), [*series("a", [50] * 5), *series("b", [50, 50, 50, 30, 30])]
    )
    as_of = datetime(2025, 3, 6, tzinfo=UTC)
    before, after = (
        fired(folder / "csw.duckdb", RULES, DAYS, as_of, "UTC") for folder in (shown, edited)
    )
    found = beside(before, after)
    assert [(a.account_id, a.opened_on) for a in found.lost] == [("a", march(3))]
    assert [(a.account_id, a.opened_on) for a in found.gained] == [("b", march(4))]
    assert found.counts == {RULES.rules[0].rule: (1, 1)}
    same = beside(before, before)
    assert (same.gained, same.lost) == ((), ())
    assert (found.first, found.last, found.held) == (*DAYS, {})


def test_the_build_is_only_read(tmp_path: Path) -> None:
    """A replay that leaves something in the build, or a lock on it."""
    build = publish(tmp_path, 1, march(5), series("a", [50, 50, 30, 30, 30])) / "csw.duckdb"
    before = build.read_bytes()
    fired(build, RULES, DAYS, datetime(2025, 3, 6, tzinfo=UTC), "UTC")
    assert build.read_bytes() == before
    duckdb.connect(str(build)).close()


def test_as_many_days_are_judged_anew_as_rules_look_back() -> None:
    """A fall over a week that is one between two configurations."""
    over_a_week = rule("fell", threshold=-15, recover_at=-10, change="amount", window_days=7)
    assert days_judged_anew(RULES, 4) == 5
    assert days_judged_anew(ruleset(rule(), over_a_week), 4) == 12
