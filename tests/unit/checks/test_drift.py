"""What changed in an extract is said with its numbers, before a mart shows it."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from assets.extracts.contracts import load_contracts
from checks.drift import compare_columns, judge_drift
from checks.findings import Said
from tests.unit.checks.builds_by_hand import AT, HandMade


def said_of(changes: list[dict[str, Any]]) -> list[str]:
    return [str(change["change"]) for change in changes]


def judged(hand_made: HandMade, table: str, *numbers: int) -> Said:
    return judge_drift(hand_made.connection, load_contracts()[table], numbers)


def of_columns(**columns: str) -> dict[str, str]:
    return {"file_columns": json.dumps(columns)}


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        ([], [{"a": "text"}], []),
        ([{"a": "text"}], [], []),
        ([{"a": "text"}], [{"a": "text"}], []),
        ([{"a": "text", "b": "text"}], [{"a": "text"}], ["b is gone from 1 of 1 files"]),
        ([{"a": "text"}], [{"a": "text", "b": "BIGINT"}], ["b (BIGINT) is new"]),
        ([{"a": "BIGINT"}], [{"a": "VARCHAR"}], ["a was BIGINT and is VARCHAR"]),
        # A column that some files never had, and one that a single file of many lacks.
        ([{"a": "text", "b": "text"}, {"a": "text"}], [{"a": "text"}], []),
        ([{"a": "text"}], [{"a": "text"}, {}], ["a is gone from 1 of 2 files"]),
    ],
)
def test_columns_are_compared_with_the_run_before(
    before: list[Mapping[str, str]], now: list[Mapping[str, str]], said: list[str]
) -> None:
    """An optional column that vanished and is NULL from then on, which nobody is told."""
    assert said_of(compare_columns(before, now)) == said


def test_a_batch_is_compared_with_the_last_run_and_not_with_older_ones(
    hand_made: HandMade,
) -> None:
    """A change of last year that is told every night."""
    hand_made.deliver("crm.goals", 1, run_id="first", **of_columns(a="text", b="text"))
    hand_made.deliver("crm.goals", 2, run_id="second", **of_columns(a="text"))
    hand_made.deliver("crm.goals", 3, run_id="third", **of_columns(a="text"))
    hand_made.deliver("crm.goals", 4, run_id="fourth")
    assert judged(hand_made, "crm.goals", 2).sentence == "b is gone from 1 of 1 files"
    assert judged(hand_made, "crm.goals", 3).passed
    assert judged(hand_made, "crm.goals", 4).passed
    assert judged(hand_made, "crm.goals").sentence == "nothing new to compare"


def event(number: int, at: datetime) -> dict[str, Any]:
    return {
        "event_id": str(number),
        "account_id": "a",
        "occurred_at": at,
        "event_type": "use",
    }


@pytest.mark.parametrize(
    ("jumped", "where"),
    [
        (datetime(1970, 1, 21, tzinfo=UTC), "lie far before everything so far"),
        (datetime(2999, 1, 1, tzinfo=UTC), "lie more than a year after their delivery"),
    ],
)
def test_dates_that_jumped_are_told(hand_made: HandMade, jumped: datetime, where: str) -> None:
    """Seconds read as milliseconds: a year's events in January 1970, and no usage at all."""
    usual = [event(n, AT - timedelta(days=n)) for n in range(1, 30)]
    hand_made.deliver("events.events", 1, usual)
    hand_made.deliver("events.events", 2, [event(100, jumped), event(101, AT)])
    said = judged(hand_made, "events.events", 2)
    assert not said.passed
    assert said.sentence.startswith(f"1 of 2 occurred_at {where} (")
    assert judged(hand_made, "events.events", 1).passed


def test_a_first_load_of_old_and_planned_rows_has_not_jumped(hand_made: HandMade) -> None:
    """A warning about twenty years of history, or about a contract that begins next month."""
    dates = (datetime(2004, 1, 1, tzinfo=UTC), AT, AT + timedelta(days=200))
    hand_made.deliver("events.events", 1, [event(n, at) for n, at in enumerate(dates)])
    said = judged(hand_made, "events.events", 1)
    assert said.passed
    assert said.facts["first_row"] == "2004-01-01 00:00:00"


@pytest.mark.parametrize(("kept", "passed"), [(80, False), (95, True)])
def test_a_full_extract_that_ends_many_keys_is_told(
    hand_made: HandMade, kept: int, *, passed: bool
) -> None:
    """A fifth of the customers gone over night: not half of them, so the loader lets it in."""
    goals = [
        {"goal_id": str(n), "account_id": "a", "status": "open", "created_at": AT}
        for n in range(100)
    ]
    hand_made.deliver("crm.goals", 1, goals)
    ended = [{"goal_id": goal["goal_id"], "_is_deleted": True} for goal in goals[kept:]]
    hand_made.deliver("crm.goals", 2, [*goals[:kept], *ended])
    said = judged(hand_made, "crm.goals", 2)
    assert said.passed is passed
    assert (said.facts["keys_ended"], said.facts["keys_before"]) == (100 - kept, 100)
    if not passed:
        assert said.sentence == "the full extract ended 20 of 100 keys (20.0%)"


def test_every_contract_can_be_compared(hand_made: HandMade) -> None:
    """A table whose dates or keys make no SQL, found on the night it first lands."""
    for number, name in enumerate(load_contracts(), start=1):
        hand_made.deliver(name, number)
        assert judged(hand_made, name, number).passed
