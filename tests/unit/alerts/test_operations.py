"""What ops hears of from the ledger and the clock, once each, and that runs are kept."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from assets.alerts.check_history import CheckOutcome
from assets.alerts.delivery import deliver
from assets.alerts.evaluation import evaluate
from assets.alerts.expected_sources import LateSource
from assets.alerts.ledger_tables import actions
from assets.alerts.operation_tables import check_results
from assets.alerts.operations import (
    CurrentRelease,
    RunOutcome,
    findings,
    last_runs,
    news,
    record_runs,
    report,
)
from assets.alerts.receivers import Route
from assets.alerts.rules import RuleSet
from assets.alerts.to_see_to import find_dead_letters, find_held_rules, find_missing_owners
from tests.unit.alerts.releases_by_hand import RECORDED_AT, march, publish, series
from tests.unit.alerts.rules_by_hand import rule

NOW = RECORDED_AT
DEADLINE = timedelta(hours=36)
CURRENT = CurrentRelease(release_id="r1", as_of=NOW - timedelta(hours=12))
OPS = RuleSet(rules=(), routes=(Route(rule="ops", position=1, channel="file", target="ops.jsonl"),))


def check(name: str, *, passed: bool, severity: str = "block") -> CheckOutcome:
    return CheckOutcome(
        asset="crm/accounts", check=name, severity=severity, passed=passed, summary="3 rows"
    )


def run(
    number: int, *checks: CheckOutcome, job: str = "daily", is_green: bool = True
) -> RunOutcome:
    return RunOutcome(
        run_id=f"run-{number}",
        job=job,
        as_of=NOW,
        is_green=is_green,
        failures=() if is_green else ("dbt_build: it broke",),
        ended_at=NOW + timedelta(minutes=number),
        checks=checks,
    )


def found(
    ledger: sa.Engine, runs: Sequence[RunOutcome], current: CurrentRelease | None = CURRENT
) -> list[str]:
    record_runs(ledger, runs)
    return [each.key for each in findings(ledger, current, now=NOW, deadline=DEADLINE)]


def test_a_red_run_is_told_with_its_blocking_checks(ledger: sa.Engine) -> None:
    """No release comes of it, and nobody would look for one."""
    checks = [
        check("keeps_its_contract", passed=False),
        check("is_fresh", passed=False, severity="warn"),
        check("has_its_parents", passed=False, severity="warn"),
        check("adds_up", passed=True),
    ]
    assert found(ledger, [run(1, *checks, is_green=False)]) == [
        "run daily",
        "late crm/accounts",
        "check keeps_its_contract on crm/accounts",
    ]


def test_only_the_last_run_of_a_job_counts(ledger: sa.Engine) -> None:
    """A red check of last week would be told for ever; an alerts run says nothing of the daily."""
    red = run(1, check("adds_up", passed=False), is_green=False)
    green = run(2, check("adds_up", passed=True))
    assert found(ledger, [red, green, run(3, job="alerts", is_green=False)]) == ["run alerts"]
    assert [each.run_id for each in last_runs(ledger)] == ["run-2", "run-1"]


def test_a_release_that_never_came_or_is_late_is_told_by_the_clock(ledger: sa.Engine) -> None:
    """A scheduler that is down reports nothing."""
    assert found(ledger, [], None) == ["no release"]
    assert found(ledger, [], CURRENT) == []
    late = replace(CURRENT, as_of=NOW - timedelta(hours=37))
    assert found(ledger, [], late) == ["release"]


def test_a_source_that_has_not_come_is_told_once_until_it_lands(ledger: sa.Engine) -> None:
    """Nobody misses what is not there, and a mail a minute until it is."""
    late = [LateSource(source="crm", sentence="crm was expected by 06:30.")]
    told = []
    for minute, missing in enumerate((late, late, [], [])):
        now = NOW + timedelta(minutes=minute)
        there = findings(ledger, CURRENT, now=now, deadline=DEADLINE, late=missing)
        told.append(report(ledger, there, OPS, now=now))
    assert told == [1, 0, 1, 0]


def test_only_a_release_with_a_deadline_is_late(ledger: sa.Engine) -> None:
    """A demo of last year that ops is told of for ever."""
    old = replace(CURRENT, as_of=NOW - timedelta(days=400))
    assert findings(ledger, old, now=NOW, deadline=None) == []


def test_ops_hears_of_each_thing_once_and_of_its_end(ledger: sa.Engine, tmp_path: Path) -> None:
    """The same mail every minute is read by nobody."""
    record_runs(ledger, [run(1, is_green=False)])
    for minute in range(3):
        now = NOW + timedelta(minutes=minute)
        report(ledger, findings(ledger, CURRENT, now=now, deadline=DEADLINE), OPS, now=now)
    record_runs(ledger, [run(2)])
    ended = findings(ledger, CURRENT, now=NOW, deadline=DEADLINE)
    assert news(ledger, ended) == ([], ["run daily"])
    report(ledger, ended, OPS, now=NOW + timedelta(minutes=5))
    record_runs(ledger, [run(3, is_green=False)])
    again = NOW + timedelta(minutes=9)
    report(ledger, findings(ledger, CURRENT, now=again, deadline=DEADLINE), OPS, now=again)
    with ledger.connect() as connection:
        payloads = connection.scalars(sa.select(actions.c.payload).order_by(actions.c.number)).all()
    assert [(each["transition"], each["finding"]) for each in payloads] == [
        ("opened", "run daily"),
        ("resolved", "run daily"),
        ("opened", "run daily"),
    ]
    assert payloads[0]["sentence"] == "The last run of daily failed: dbt_build: it broke"
    assert deliver(ledger, tmp_path, now=NOW + timedelta(hours=1)).sent == 3


def test_two_digests_of_ops_are_two_messages(ledger: sa.Engine) -> None:
    """Under one key for ever, a receiver would take all but the first for duplicates."""
    (route,) = OPS.routes
    digests = RuleSet(rules=(), routes=(route.model_copy(update={"is_digest": True}),))
    for minute in range(2):
        record_runs(ledger, [run(minute, is_green=minute == 1)])
        now = NOW + timedelta(minutes=minute)
        report(ledger, findings(ledger, CURRENT, now=now, deadline=DEADLINE), digests, now=now)
    with ledger.connect() as connection:
        assert len(set(connection.scalars(sa.select(actions.c.batch)))) == 2


def test_a_run_is_kept_once_with_all_its_checks(ledger: sa.Engine) -> None:
    """A release knows only its own green ones; a red run's would be lost."""
    red = run(1, check("adds_up", passed=False), check("is_fresh", passed=True), is_green=False)
    assert record_runs(ledger, [red]) == 1
    assert record_runs(ledger, [red]) == 0
    with ledger.connect() as connection:
        assert len(connection.execute(sa.select(check_results)).all()) == 2
    at = red.ended_at
    kept = (
        replace(red.checks[0], failing_since=at),
        replace(red.checks[1], last_green_at=at),
    )
    assert last_runs(ledger)[0] == replace(red, checks=kept)


def test_what_a_person_must_see_to_is_found(ledger: sa.Engine, releases: Path) -> None:
    """A check that finds nothing is green for ever."""
    days = [day for n in range(11) for day in series(f"a{n}", [39])]
    publish(releases, 1, march(1), days)
    role = Route.model_validate(
        {
            "rule": "*",
            "position": 1,
            "channel": "email",
            "target": "manager",
            "fallback": "file:x.jsonl",
        }
    )
    few = rule("few", max_share=1, threshold=39.5)
    rules = RuleSet(rules=(rule(max_share=0.1), few), routes=(role,))
    evaluate(ledger, releases, rules, recorded_at=NOW)
    with ledger.connect() as connection:
        (held,) = find_held_rules(connection)
        owners = find_missing_owners(connection)
        assert find_dead_letters(connection) == []
    assert (held["rule"], held["would_fire"]) == ("health_fell_below_40", 11)
    assert len(owners) == 11
    assert owners[0]["told_instead"] == "file:x.jsonl"
    with ledger.begin() as connection:
        connection.execute(sa.update(actions).values(state="dead"))
    with ledger.connect() as connection:
        letters = find_dead_letters(connection)
    assert len(letters) == 12
    assert "payload" not in letters[0]
