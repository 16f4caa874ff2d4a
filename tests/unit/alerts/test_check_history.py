"""What is kept of every check of every run, and how it comes into a build."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import duckdb
import sqlalchemy as sa

from assets.alerts.check_history import (
    CheckOutcome,
    CheckWords,
    has_words,
    keep_words,
    read_outcomes,
)
from assets.alerts.front_door import copy_ledger
from assets.alerts.operations import RunOutcome, record_runs

AT = datetime(2025, 3, 2, 6, tzinfo=UTC)
CHECK = CheckOutcome(
    asset="crm/accounts", check="adds_up", severity="block", passed=True, summary="all do"
)
RED = replace(
    CHECK,
    passed=False,
    summary="30 don't",
    rows_failed=30,
    rows_tested=200,
    failing_rows=tuple({"account_id": f"a{n}", "email": "***"} for n in range(30)),
)
WORDS = CheckWords(
    asset="crm/accounts",
    check="adds_up",
    layer="raw",
    owner="data@example.com",
    means="They add up.",
    what_to_do="Add again.",
)


def run(day: int, *checks: CheckOutcome, is_green: bool = True) -> RunOutcome:
    return RunOutcome(
        run_id=f"run-{day}",
        job="daily",
        as_of=AT,
        is_green=is_green,
        failures=(),
        ended_at=AT + timedelta(days=day),
        checks=checks,
    )


def kept(ledger: sa.Engine, day: int) -> CheckOutcome:
    with ledger.connect() as connection:
        (found,) = read_outcomes(connection, f"run-{day}")
    return found


def test_a_check_says_since_when_it_is_red_and_when_it_was_green(ledger: sa.Engine) -> None:
    """A red of months taken for one of this morning; a run that stopped before it ends the red."""
    days = [CHECK, RED, None, RED, CHECK, RED]
    record_runs(ledger, [run(day, *filter(None, [check])) for day, check in enumerate(days)])
    standing = [
        (found.failing_since, found.last_green_at)
        for found in (kept(ledger, day) for day in (0, 1, 3, 4, 5))
    ]
    first, second, fifth, sixth = (AT + timedelta(days=day) for day in (0, 1, 4, 5))
    assert standing == [
        (None, first),
        (second, first),
        (second, first),
        (None, fifth),
        (sixth, fifth),
    ]


def test_twenty_rows_of_a_red_check_are_kept(ledger: sa.Engine) -> None:
    """A ledger that grows by every row of a broken extract, each day."""
    record_runs(ledger, [run(0, RED)])
    found = kept(ledger, 0)
    assert (found.rows_failed, found.rows_tested) == (30, 200)
    assert found.failing_rows == RED.failing_rows[:20]


def test_words_are_those_of_the_code_that_runs(ledger: sa.Engine) -> None:
    """A check that was removed, or what it meant a year ago, shown for ever."""
    assert not has_words(ledger, "1")
    keep_words(ledger, [WORDS], "1")
    assert has_words(ledger, "1")
    assert not has_words(ledger, "2")


def test_every_result_comes_into_the_build_once(ledger: sa.Engine) -> None:
    """Red runs unseen by whoever reads a release; or a result twice, once per release since."""
    keep_words(ledger, [WORDS], "1")
    with duckdb.connect() as build:
        build.execute("set timezone = 'UTC'")
        record_runs(ledger, [run(0, CHECK)])
        assert copy_ledger(ledger, build, AT)["check_results"] == 1
        record_runs(ledger, [run(1, RED, replace(RED, check="unknown"), is_green=False)])
        assert copy_ledger(ledger, build, AT)["check_results"] == 2
        assert copy_ledger(ledger, build, AT)["check_results"] == 0
        rows = build.execute(
            "select run_id, check_key, is_passed, owner, rows_failed, json_array_length("
            "failing_rows), failing_since, last_green_at, what_to_do from ledger.check_results "
            "order by ended_at, check_key"
        ).fetchall()
    red = AT + timedelta(days=1)
    assert rows == [
        ("run-0", "crm/accounts/adds_up", True, "data@example.com", None, None, None, AT,
         "Add again."),
        ("run-1", "crm/accounts/adds_up", False, "data@example.com", 30, 20, red, AT,
         "Add again."),
        ("run-1", "crm/accounts/unknown", False, None, 30, 20, red, None, None),
    ]  # fmt: skip
