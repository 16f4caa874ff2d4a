"""A table that stopped is told from one that comes seldom."""

from datetime import UTC, datetime, timedelta

import pytest

from assets.extracts.contracts import load_contracts
from checks.findings import Said
from checks.freshness import judge_freshness
from tests.unit.checks.builds_by_hand import HandMade, day

JANUARY = datetime(2025, 1, 1, tzinfo=UTC)


def judged(hand_made: HandMade, table: str, as_of: datetime) -> Said:
    return judge_freshness(hand_made.connection, load_contracts()[table], as_of)


def at(days: float) -> datetime:
    """So many days after the start of January."""
    return JANUARY + timedelta(days=days)


@pytest.mark.parametrize(("days", "passed"), [(10, True), (12, True), (12.1, False)])
def test_a_contract_says_how_late_a_table_may_be(
    hand_made: HandMade, days: float, *, passed: bool
) -> None:
    """Days of zeros that look like customers who left."""
    hand_made.deliver("events.events", 1, watermark_at=at(10))
    said = judged(hand_made, "events.events", at(days))
    assert said.passed is passed
    assert said.facts["expected_within_days"] == 2
    assert said.facts["watermark"] == "2025-01-11T00:00:00+00:00"


def test_a_table_without_such_a_word_is_judged_by_its_own_rhythm(hand_made: HandMade) -> None:
    """A weekly extract that is late on every Tuesday, a daily one that is never late."""
    for number in (1, 8, 15, 22):
        hand_made.deliver("crm.goals", number, dt=day(number), watermark_at=at(number))
        hand_made.deliver("crm.tasks", 100 + number, dt=day(number // 7 + 1), watermark_at=at(4))
    assert judged(hand_made, "crm.goals", at(22 + 15)).passed
    said = judged(hand_made, "crm.goals", at(22 + 15.5))
    assert not said.passed
    assert said.sentence == (
        "reaches to 2025-01-23 00:00, 15.5 days before the as-of: at most 15 are expected, since "
        "it usually comes every 7 days; it has stopped, so look at the extract's job"
    )
    assert not judged(hand_made, "crm.tasks", at(8)).passed


def test_a_table_that_came_once_has_no_rhythm(hand_made: HandMade) -> None:
    """A warning about a list that is landed once and for all."""
    hand_made.deliver("crm.goals", 1, dt=day(1), watermark_at=at(1))
    said = judged(hand_made, "crm.goals", at(400))
    assert said.passed
    assert "no rhythm yet" in said.sentence
    assert judged(hand_made, "crm.tasks", at(400)).sentence == "not loaded"


def test_an_earlier_as_of_finds_nothing_late(hand_made: HandMade) -> None:
    """A back-fill of an old day that warns, or that is minus twenty days late."""
    hand_made.deliver("events.events", 1, watermark_at=at(30))
    said = judged(hand_made, "events.events", at(10))
    assert (said.passed, said.facts["days_late"]) == (True, 0.0)
