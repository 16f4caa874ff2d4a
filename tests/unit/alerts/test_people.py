"""What people do with alerts, what the audit log says of it, and that nobody can change that."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
import sqlalchemy as sa

from assets.alerts import audit
from assets.alerts.delivery import deliver
from assets.alerts.evaluation import evaluate
from assets.alerts.front_door import copy_ledger
from assets.alerts.ledger import write_transaction
from assets.alerts.ledger_tables import actions, alert_events, alerts
from assets.alerts.people import Act, ActionRefusedError, Asked, take_action
from assets.alerts.workflow_tables import workflow_audit_log
from tests.unit.alerts.releases_by_hand import RECORDED_AT, march, publish, series
from tests.unit.alerts.rules_by_hand import rule, ruleset, told

RULES = ruleset(rule())


def judge(ledger: sa.Engine, releases: Path, *scores: float, since: int = 1) -> list:
    """The days up to as many as there are scores, those from `since` on in a release each."""
    for n in range(since, len(scores) + 1):
        publish(releases, n, march(n), series("a", scores))
    return evaluate(ledger, releases, RULES, recorded_at=RECORDED_AT)


def ask(ledger: sa.Engine, act: Act, until: date | None = None, **changes: str) -> str:
    with ledger.connect() as connection:
        alert_id = connection.scalar(
            sa.select(alerts.c.alert_id).where(alerts.c.status != "resolved")
        )
    said = {"alert_id": str(alert_id)[:8], "who": "Ann", "why": "on it"} | changes
    return take_action(ledger, Asked(act=act, until=until, at=RECORDED_AT, **said))


def statuses(ledger: sa.Engine) -> list[tuple]:
    with ledger.connect() as connection:
        query = sa.select(
            alert_events.c.on_day, alert_events.c.from_status, alert_events.c.to_status
        )
        return [tuple(r) for r in connection.execute(query.order_by(alert_events.c.ordinal))]


def test_an_acknowledged_alert_still_recovers(ledger: sa.Engine, releases: Path) -> None:
    """An acknowledgement that took the alert out of the evaluation would leave it open for ever."""
    judge(ledger, releases, 39)
    ask(ledger, "acknowledged")
    judge(ledger, releases, 39, 46, since=2)
    assert statuses(ledger) == [
        (march(1), None, "open"),
        (march(1), "open", "acknowledged"),
        (march(2), "acknowledged", "resolved"),
    ]


def test_days_that_are_made_up_for_show_what_people_did(ledger: sa.Engine, releases: Path) -> None:
    """The clock is months ahead: a path without the act is illegal, and every later run red."""
    judge(ledger, releases, 39)
    ask(ledger, "acknowledged")
    judge(ledger, releases, 39, 46, since=2)

    def seen(day: int) -> list[tuple]:
        with duckdb.connect() as build:
            build.execute("set timezone = 'UTC'")
            copy_ledger(ledger, build, datetime(2025, 3, day, tzinfo=UTC))
            query = "select ordinal, to_status, happened_at from ledger.alert_events order by all"
            return build.execute(query).fetchall()

    opened = (1, "open", datetime(2025, 3, 2, tzinfo=UTC))
    third = datetime(2025, 3, 3, tzinfo=UTC)
    assert seen(3) == [opened]
    assert seen(4) == [opened, (2, "acknowledged", third), (3, "resolved", third)]


def test_a_snooze_ends_on_its_data_day_and_is_told_again(
    ledger: sa.Engine, releases: Path, tmp_path: Path
) -> None:
    """Days of the wall clock would wake it before its data, or never where no release comes."""
    judge(ledger, releases, 39)
    ask(ledger, "snoozed", until=march(3))
    judge(ledger, releases, 39, 39, 39, 39, since=2)
    assert statuses(ledger)[1:] == [
        (march(1), "open", "snoozed"),
        (march(3), "snoozed", "open"),
    ]
    assert deliver(ledger, tmp_path, now=RECORDED_AT).sent == 2
    with ledger.connect() as connection:
        payloads = connection.scalars(sa.select(actions.c.payload).order_by(actions.c.number)).all()
    assert [payload["transition"] for payload in payloads] == ["opened", "snooze_ended"]
    assert payloads[1]["reason"] == "it was put off until 2025-03-03 and is still open"


def test_a_snoozed_alert_that_recovers_does_not_wake(ledger: sa.Engine, releases: Path) -> None:
    """A reminder of what is over."""
    judge(ledger, releases, 39)
    ask(ledger, "snoozed", until=march(3))
    judge(ledger, releases, 39, 50, 50, since=2)
    assert statuses(ledger)[2:] == [(march(2), "snoozed", "resolved")]


def test_what_a_person_resolved_opens_again_after_a_recovery_only(
    ledger: sa.Engine, releases: Path
) -> None:
    """The condition still holds on the next day: it would open again as if nobody had looked."""
    judge(ledger, releases, 39)
    ask(ledger, "resolved")
    found = judge(ledger, releases, 39, 39, 38, 50, 39, since=2)
    assert told(found) == [(march(5), "health_fell_below_40", "opened", "crossed")]


@pytest.mark.parametrize(
    ("act", "changes", "sentence"),
    [
        ("acknowledged", {"alert_id": "zzz"}, "no alert's id begins with 'zzz'"),
        ("acknowledged", {"alert_id": ""}, "no alert's id begins with ''"),
        ("acknowledged", {"alert_id": "%"}, "no alert's id begins with '%'"),
        ("acknowledged", {"who": " "}, "say who"),
        ("resolved", {"why": ""}, "say who"),
        ("snoozed", {}, "is over"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence(
    ledger: sa.Engine, releases: Path, act: Act, changes: dict[str, str], sentence: str
) -> None:
    """Half a command would change another alert, or leave nobody who did it."""
    judge(ledger, releases, 39)
    with pytest.raises(ActionRefusedError, match=sentence):
        ask(ledger, act, until=march(1), **changes)
    assert len(statuses(ledger)) == 1


def test_a_resolved_alert_takes_no_action(ledger: sa.Engine, releases: Path) -> None:
    """A legal path ends with its resolution."""
    judge(ledger, releases, 39)
    alert_id = ask(ledger, "resolved")
    with pytest.raises(ActionRefusedError, match="was resolved on 2025-03-01"):
        ask(ledger, "acknowledged", alert_id=alert_id)


def test_the_audit_log_says_who_decided_what(ledger: sa.Engine, releases: Path) -> None:
    """Nobody could say afterwards why the customer was not called."""
    judge(ledger, releases, 39)
    ask(ledger, "resolved", why="spoke with them")
    with ledger.connect() as connection:
        log = workflow_audit_log.c
        query = sa.select(log.actor, log.action, log.decision).order_by(log.number)
        assert connection.execute(query).all() == [
            ("evaluation", "opened", "crossed"),
            ("Ann", "resolved", "spoke with them"),
        ]
        assert audit.verify(connection) == (2, None)


@pytest.mark.parametrize("statement", ["update", "delete"])
def test_the_audit_log_can_only_grow(ledger: sa.Engine, releases: Path, statement: str) -> None:
    """A log that its writer can change proves nothing."""
    judge(ledger, releases, 39)
    change = sa.delete(workflow_audit_log)
    if statement == "update":
        change = sa.update(workflow_audit_log).values(actor="nobody")
    with (
        pytest.raises(sa.exc.DBAPIError, match="append-only"),
        write_transaction(ledger) as connection,
    ):
        connection.execute(change)


@pytest.mark.parametrize(
    "change",
    [
        "update workflow_audit_log set decision = 'x' where number = 2",
        "update workflow_audit_log set recorded_at = '2020-01-01 00:00:00.000000' where number = 2",
        "delete from workflow_audit_log where number = 2",
    ],
)
def test_a_change_behind_the_back_breaks_the_chain(
    ledger: sa.Engine, releases: Path, change: str
) -> None:
    """Whoever can drop the trigger can change a row; the row after it tells."""
    judge(ledger, releases, 39, 50, 39)
    with write_transaction(ledger) as connection:
        for event in ("update", "delete"):
            connection.execute(sa.text(f"drop trigger workflow_audit_log_{event}"))
        connection.execute(sa.text(change))
    with ledger.connect() as connection:
        assert audit.verify(connection)[1] in (2, 3)


def test_days_after_an_action_are_judged_as_before(ledger: sa.Engine, releases: Path) -> None:
    """A cool-down that a person's action forgets would let the rule fire on the next day."""
    rules = ruleset(rule(cooldown_days=30))
    publish(releases, 1, march(1), series("a", [39]))
    evaluate(ledger, releases, rules, recorded_at=RECORDED_AT)
    ask(ledger, "resolved")
    publish(releases, 2, march(4), series("a", [39, 50, 39, 39]))
    found = evaluate(ledger, releases, rules, recorded_at=RECORDED_AT + timedelta(days=1))
    assert [(day, kind, cause) for day, _, kind, cause in told(found)] == [
        (march(3), "suppressed", "cooldown")
    ]
