"""Every trigger and memory rule of the specification beyond a plain threshold."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
import sqlalchemy as sa

from assets.alerts.evaluation import evaluate
from assets.alerts.filters import WorkflowCondition
from assets.alerts.ledger_tables import actions, alerts, held_rules
from assets.alerts.people import Asked, take_action
from assets.alerts.receivers import Route
from assets.alerts.rules import Rule, RuleSet
from assets.alerts.transitions import Evaluation
from assets.alerts.workflow_rules import Workflow, WorkflowStep
from assets.alerts.workflow_tables import alert_tasks, workflow_audit_log, workflow_steps
from tests.unit.alerts.releases_by_hand import RECORDED_AT, Day, march, publish, series
from tests.unit.alerts.rules_by_hand import rule, ruleset, told

Seen = list[tuple[date, str, str]]


def seen(evaluations: list[Evaluation]) -> Seen:
    """Day, transition and cause."""
    return [(day, kind, cause) for day, _, kind, cause in told(evaluations)]


def judge(
    ledger: sa.Engine, releases: Path, rules: RuleSet, days: list[Day], *more: str
) -> list[Evaluation]:
    """A release per day; `more` is SQL that the last day's release is completed with."""
    for sequence, day in enumerate(sorted({found.day for found in days}), 1):
        folder = publish(releases, sequence, day, days)
        with duckdb.connect(str(folder / "csw.duckdb")) as connection:
            for statement in more:
                connection.execute(statement)
    return evaluate(ledger, releases, rules, recorded_at=RECORDED_AT)


def test_a_fall_by_an_amount_fires_and_recovers(ledger: sa.Engine, releases: Path) -> None:
    """80 to 64 in three days is -16, and fires; 64 to 59 in three days is -5, and recovers."""
    fell = rule(operator="below", threshold=-15, change="amount", window_days=3, recover_at=-5)
    found = judge(ledger, releases, ruleset(fell), series("a", [80, 75, 70, 64, 62, 61, 59]))
    assert seen(found) == [
        (march(4), "opened", "crossed"),
        (march(7), "resolved", "recovered"),
    ]
    assert found[3].transitions[0].value == -16
    assert found[3].transitions[0].reason == (
        "the change of health_score in 3 days is -16, below -15"
    )


def test_a_change_in_per_cent_of_nothing_is_undefined(ledger: sa.Engine, releases: Path) -> None:
    """Infinity would open an alert for everybody's first ticket."""
    more = rule(
        operator="above", threshold=1, change="percent", metric="open_tickets", recover_at=None
    )
    days = [Day(account="a", day=march(n), tickets=v) for n, v in enumerate([0, 5, 10, 21], 1)]
    found = judge(ledger, releases, ruleset(more), days)
    assert seen(found) == [(march(4), "opened", "crossed")]
    assert "is 110 %, above 100 %" in found[3].transitions[0].reason


def states(*words: str) -> list[str]:
    """SQL that gives account a these states from 1 March on."""
    return [
        f"update health.fct_account_health_daily set state = '{word}' where day = '{march(n)}'"  # noqa: S608
        for n, word in enumerate(words, 1)
    ]


WORD = {"metric": "health_state", "threshold": None, "recover_at": None}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"operator": "in", "set_values": "poor|critical"},
            [(march(2), "opened", "crossed"), (march(4), "resolved", "recovered")],
        ),
        (
            {"operator": "not_in", "set_values": "good"},
            [(march(2), "opened", "crossed"), (march(4), "resolved", "recovered")],
        ),
        (
            {"operator": "changed"},
            [
                (march(2), "opened", "crossed"),
                (march(3), "resolved", "recovered"),
                (march(4), "opened", "crossed"),
            ],
        ),
    ],
)
def test_a_state_enters_leaves_and_changes(
    ledger: sa.Engine, releases: Path, changes: dict[str, str], expected: Seen
) -> None:
    """A band has no number that a threshold could compare."""
    days = series("a", [80, 30, 30, 80])
    found = judge(
        ledger,
        releases,
        ruleset(rule(**WORD | changes)),
        days,
        *states("good", "poor", "poor", "good"),
    )
    assert seen(found) == expected
    assert found[1].transitions[0].value_text == "poor"
    assert "health_state is poor" in found[1].transitions[0].reason


KPIS = """
    create table health.account_kpis_daily as select
        account_id, day,
        case when day = date '2025-03-02' then 70 else 50 end as renewal_risk_points,
        case when day = date '2025-03-02' then 'high' else 'low' end as renewal_risk_band
    from accounts.account_metrics_daily
"""
RISK = {"metric": "renewal_risk_points", "operator": "above", "threshold": 60, "recover_at": 55}
BAND = {**WORD, "metric": "renewal_risk_band", "operator": "in", "set_values": "high"}
MOVED = {**WORD, "metric": "renewal_risk_band", "operator": "changed"}


@pytest.mark.parametrize(
    ("changes", "reason", "ends"),
    [
        (RISK, "renewal_risk_points is 70, above 60", 3),
        (BAND, "renewal_risk_band is high, one of high", 3),
        (MOVED, "renewal_risk_band is high, another than the day before", 4),
    ],
)
def test_a_key_figure_is_judged_as_of_each_day(
    ledger: sa.Engine, releases: Path, changes: dict[str, object], reason: str, ends: int
) -> None:
    """Read from the as-of day's snapshot, each day of a missed weekend would have the last's."""
    for sequence, last in ((1, 1), (2, 4)):
        folder = publish(releases, sequence, march(last), series("a", [50, 50, 50, 50]))
        with duckdb.connect(str(folder / "csw.duckdb")) as connection:
            connection.execute(KPIS)
    found = evaluate(ledger, releases, ruleset(rule(**changes)), recorded_at=RECORDED_AT)
    assert seen(found) == [
        (march(2), "opened", "crossed"),
        (march(ends), "resolved", "recovered"),
    ]
    assert found[1].transitions[0].reason == reason


def test_a_milestone_is_reached_once_for_ever(ledger: sa.Engine, releases: Path) -> None:
    """25 users, 20, 25 again is one milestone; and it is closed by itself the day after."""
    reached = rule(
        operator="reached",
        threshold=25,
        recover_at=None,
        metric="open_tickets",
        on_missing="alert",  # which nobody reaches by having no data
    )
    values = [None, 25, 26, 20, 30, 30]
    days = [Day(account="a", day=march(n), tickets=v) for n, v in enumerate(values, 1)]
    found = judge(ledger, releases, ruleset(reached), days)
    assert seen(found) == [(march(2), "opened", "crossed"), (march(3), "resolved", "milestone")]
    with ledger.connect() as connection:
        assert len(connection.execute(sa.select(actions)).all()) == 1, "its end is no news"


def test_a_milestone_whose_rule_was_off_for_a_day_is_not_told_again(
    ledger: sa.Engine, releases: Path
) -> None:
    """Once per account for ever: who edits the file on two evenings congratulates twice."""
    reached = rule(operator="reached", threshold=25, recover_at=None, metric="open_tickets")
    days = [Day(account="a", day=march(n), tickets=30) for n in range(1, 4)]
    days += [Day(account="b", day=march(n), tickets=v) for n, v in enumerate([20, 30, 30], 1)]
    found = []
    for sequence, rules in enumerate((ruleset(reached), ruleset(), ruleset(reached)), 1):
        publish(releases, sequence, march(sequence), days)
        found += evaluate(ledger, releases, rules, recorded_at=RECORDED_AT)
    assert seen(found) == [
        (march(1), "opened", "crossed"),
        (march(2), "resolved", "rule_removed"),
        (march(3), "opened", "crossed"),
    ]
    assert found[2].transitions[0].account_id == "b"


def test_a_milestone_of_before_the_rule_stays_silent_for_ever(
    ledger: sa.Engine, releases: Path
) -> None:
    """Switched on today, it would congratulate on what was reached years ago, or twice."""
    reached = rule(
        operator="reached",
        threshold=25,
        recover_at=None,
        metric="open_tickets",
        on_activation="baseline",
    )
    values = [25, 20, 30]
    days = [Day(account="a", day=march(n), tickets=v) for n, v in enumerate(values, 1)]
    days += [
        Day(account="b", day=march(n), tickets=30, status=status)
        for n, status in enumerate(["customer", "churned", "customer"], 1)
    ]
    found = judge(ledger, releases, ruleset(reached), days)
    assert seen(found) == [(march(1), "suppressed", "baseline")] * 2


def test_an_alert_keeps_firing_until_it_was_over_for_days(
    ledger: sa.Engine, releases: Path
) -> None:
    """One good day between two bad ones is no recovery; a day without data counts neither way."""
    scores = [39, 50, 39, 50, None, 50, 50, 50]
    found = judge(ledger, releases, ruleset(rule(keep_firing_days=2)), series("a", scores))
    assert seen(found) == [
        (march(1), "opened", "crossed"),
        (march(7), "resolved", "recovered"),
    ]


CHANGES = (
    "create table health.fct_health_changes (account_id varchar, day date, change double, "
    "from_profile double, from_weights double, from_thresholds double, from_missing double, "
    "from_inputs double, from_cap double, from_override double)"
)


def change(day: int, total: float, **parts: float) -> str:
    """SQL of one day's change of account a, with what made it."""
    names = ("profile", "weights", "thresholds", "missing", "inputs", "cap", "override")
    values = ", ".join(str(parts.get(name, 0)) for name in names)
    row = f"'a', '{march(day)}', {total}, {values}"
    return f"insert into health.fct_health_changes values ({row})"  # noqa: S608


def test_an_edit_of_the_configuration_fires_for_nobody(ledger: sa.Engine, releases: Path) -> None:
    """New weights on a Monday would tell 3,000 CSMs that their customers are unwell."""
    days = series("a", [50, 30, 30, 50, 30])
    more = (
        CHANGES,
        change(2, -20, weights=-15, inputs=-5),
        change(4, 20, inputs=20),
        change(5, -20, inputs=-20),
    )
    found = judge(ledger, releases, ruleset(rule()), days, *more)
    assert seen(found) == [
        (march(2), "suppressed", "configuration"),
        (march(5), "opened", "crossed"),
    ]
    assert "by an edit of the configuration" in found[1].transitions[0].reason


def test_what_would_have_crossed_without_the_edit_fires(ledger: sa.Engine, releases: Path) -> None:
    """An edit on the day of a real fall must not hide it."""
    more = (CHANGES, change(2, -20, weights=-5, inputs=-15))
    found = judge(ledger, releases, ruleset(rule()), series("a", [50, 30]), *more)
    assert seen(found) == [(march(2), "opened", "crossed")]


def test_a_rule_may_ask_to_fire_on_edits(ledger: sa.Engine, releases: Path) -> None:
    """Somebody who tunes the weights wants to see whom they hit."""
    more = (CHANGES, change(2, -20, weights=-20))
    rules = ruleset(rule(on_configuration_change="fire"))
    assert seen(judge(ledger, releases, rules, series("a", [50, 30]), *more)) == [
        (march(2), "opened", "crossed")
    ]


def test_a_score_that_rises_because_data_are_missing_is_no_recovery(
    ledger: sa.Engine, releases: Path
) -> None:
    """The tickets' extract stops, the score rises, and the alert is told to be over."""
    more = (CHANGES, change(2, 20, missing=20), change(3, 0), change(4, 20, inputs=20))
    held = (
        "alter table health.fct_account_health_daily add column is_held boolean default false",
        f"update health.fct_account_health_daily set is_held = true where day = '{march(3)}'",  # noqa: S608
    )
    found = judge(ledger, releases, ruleset(rule()), series("a", [30, 50, 50, 50]), *more, *held)
    assert seen(found) == [(march(1), "opened", "crossed"), (march(4), "resolved", "recovered")]


def crowd(day: int, low: int, of: int = 40) -> list[Day]:
    return [
        Day(account=f"a{n:02}", day=march(day), health=30 if n < low else 80) for n in range(of)
    ]


def test_a_rule_that_would_fire_for_everybody_is_held_and_reported_once(
    ledger: sa.Engine, releases: Path
) -> None:
    """A broken extract would send 10,000 mails; the next good day it fires for who is left."""
    rules = ruleset(rule(max_share=0.25, owner="cs_ops"))
    owner = {"rule": "cs_ops", "position": 1, "channel": "file", "target": "owner.jsonl"}
    rules = RuleSet(rules=rules.rules, routes=(*rules.routes, Route.model_validate(owner)))
    days = crowd(1, 11) + crowd(2, 12) + crowd(3, 10)
    found = judge(ledger, releases, rules, days)
    assert [(e.opened, e.suppressed) for e in found] == [(0, 0), (0, 0), (10, 0)]
    assert [(h.would_fire, h.most, h.is_new) for e in found for h in e.held] == [
        (11, 10, True),
        (12, 10, False),
    ]
    with ledger.connect() as connection:
        assert len(connection.execute(sa.select(held_rules)).all()) == 2
        reports = connection.execute(sa.select(actions).where(actions.c.kind == "held")).all()
    assert [(row.target, row.payload["rule"]) for row in reports] == [
        ("owner.jsonl", "health_fell_below_40")
    ]


def test_exactly_the_configured_share_is_no_storm(ledger: sa.Engine, releases: Path) -> None:
    """29 of 100 are 0.29, and 28.999 in binary: the rule would be held at its own share."""
    rules = ruleset(rule(max_share=0.29))
    assert judge(ledger, releases, rules, crowd(1, 29, of=100))[0].opened == 29


def test_a_held_rule_supersedes_nothing(ledger: sa.Engine, releases: Path) -> None:
    """A critical rule that is held would silence the warnings that are right."""
    rules = ruleset(
        rule(family="health", max_share=1.0),
        rule("turned_critical", family="health", severity="critical", max_share=0.1),
    )
    found = judge(ledger, releases, rules, crowd(1, 11))
    assert {t.rule for t in found[0].transitions} == {"health_fell_below_40"}
    assert found[0].opened == 11


def workflow(
    *steps: dict[str, object], trigger: str = "opened", conditions: Sequence[str] = ()
) -> Workflow:
    made = {"workflow": "w", "description": "d", "rule": "health_fell_below_40", "trigger": trigger}
    base = {"workflow": "w", "channel": "email", "target": "csm", "fallback": "file:none.jsonl"}
    read = tuple(
        WorkflowStep.model_validate(base | {"position": n, "title": "Call {account}."} | step)
        for n, step in enumerate(steps, 1)
    )
    names = ("workflow", "attribute", "operator", "value")
    asked = tuple(
        WorkflowCondition.model_validate(dict(zip(names, ("w", *row.split(",")), strict=True)))
        for row in conditions
    )
    parts = {"conditions": asked, "steps": read}
    return Workflow.model_validate(made).model_copy(update=parts)


def with_workflow(made: Workflow, *rules: Rule) -> RuleSet:
    base = ruleset(*(rules or (rule(),)))
    return RuleSet(rules=base.rules, routes=base.routes, workflows=(made,))


TASK = {"action": "assign_task", "due_in_days": 3}


def test_a_workflow_takes_its_steps_in_order_and_on_their_days(
    ledger: sa.Engine, releases: Path
) -> None:
    """A reminder on the first day, or a task that nobody has, is worse than none."""
    made = workflow(
        TASK,
        {"action": "notify", "channel": "slack", "target": "team", "fallback": None},
        {"action": "webhook", "channel": "webhook", "target": "crm", "fallback": None},
        {"action": "reminder", "offset_days": 2},
        {"action": "escalate", "target": "manager", "offset_days": 2},
    )
    judge(ledger, releases, with_workflow(made), series("a", [39, 39, 39]))
    with ledger.connect() as connection:
        (task,) = connection.execute(sa.select(alert_tasks)).all()
        told_on = [
            (row.payload["day"], row.payload["transition"], row.recipient, row.target)
            for row in connection.execute(
                sa.select(actions).where(actions.c.kind == "workflow").order_by(actions.c.number)
            )
        ]
        log = workflow_audit_log.c
        said = connection.scalars(sa.select(log.action).where(log.actor == "workflow w")).all()
    assert (task.title, task.assignee_id, task.due_on) == ("Call Account a.", "c1", march(4))
    assert told_on == [
        ("2025-03-01", "notify", None, "team"),
        ("2025-03-01", "webhook", None, "crm"),
        ("2025-03-03", "reminder", "c1", "ada@example.com"),
        ("2025-03-03", "escalate", None, "none.jsonl"),
    ]
    assert said == ["assign_task", "notify", "webhook", "reminder", "escalate"]


@pytest.mark.parametrize("closes", [True, False])
def test_what_a_workflow_began_ends_with_its_alert(
    ledger: sa.Engine,
    releases: Path,
    closes: bool,  # noqa: FBT001
) -> None:
    """A task for what is over, or a reminder of it."""
    made = workflow(TASK | {"closes_with_alert": closes}, {"action": "reminder", "offset_days": 2})
    judge(ledger, releases, with_workflow(made), series("a", [39, 50, 50]))
    with ledger.connect() as connection:
        (task,) = connection.execute(sa.select(alert_tasks)).all()
        states = connection.scalars(
            sa.select(workflow_steps.c.state).order_by(workflow_steps.c.position)
        ).all()
    assert states == ["done", "cancelled"]
    assert (task.done_on, task.closed_how) == (
        (march(2), "alert_resolved") if closes else (None,) * 2
    )


@pytest.mark.parametrize("is_milestone", [True, False])
def test_what_a_workflow_began_ends_when_a_person_resolves_its_alert(
    ledger: sa.Engine,
    releases: Path,
    is_milestone: bool,  # noqa: FBT001
) -> None:
    """On its first day, too: a task and reminders would stay of what is resolved for ever.

    An onboarding whose first alert somebody resolves has its check-ins all the same.
    """
    made = with_workflow(workflow(TASK, {"action": "reminder", "offset_days": 2}))
    judge(ledger, releases, made, series("a", [39]))
    with ledger.connect() as connection:
        alert = connection.scalars(sa.select(alerts.c.alert_id)).one()
    asked = Asked(act="resolved", alert_id=alert, who="Ann", why="called", at=RECORDED_AT)
    take_action(ledger, asked, [rule().rule] if is_milestone else [])
    with ledger.connect() as connection:
        (task,) = connection.execute(sa.select(alert_tasks)).all()
        steps = sa.select(workflow_steps.c.state).order_by(workflow_steps.c.position)
        states = connection.scalars(steps).all()
    closed = (None, None) if is_milestone else (march(1), "alert_resolved")
    assert (task.done_on, task.closed_how) == closed
    assert states == ["done", "pending" if is_milestone else "cancelled"]


def test_a_milestone_s_steps_outlive_its_alert(ledger: sa.Engine, releases: Path) -> None:
    """The check-ins of an onboarding would be cancelled on its second day."""
    reached = rule(operator="reached", threshold=1, recover_at=None, metric="open_tickets")
    days = [Day(account="a", day=march(n), tickets=n) for n in range(1, 5)]
    made = workflow(TASK | {"offset_days": 3})
    judge(ledger, releases, with_workflow(made, reached), days)
    with ledger.connect() as connection:
        assert connection.scalar(sa.select(alert_tasks.c.created_on)) == march(4)


def test_a_workflow_can_begin_when_an_alert_is_over(ledger: sa.Engine, releases: Path) -> None:
    """Thanking a customer who came back is a workflow too."""
    judge(
        ledger, releases, with_workflow(workflow(TASK, trigger="resolved")), series("a", [39, 50])
    )
    with ledger.connect() as connection:
        row = connection.execute(sa.select(alert_tasks)).one()
    assert (row.created_on, row.done_on) == (march(2), None)


@pytest.mark.parametrize(
    ("conditions", "count"),
    [
        (["tier,is,gold"], 1),
        (["tier,is,silver"], 0),
        (["custom.Tier sold,is,gold"], 1),
        (["custom.Tier sold,is,silver"], 0),
        (["tier,is,gold", "custom.Tier sold,in,silver|gold"], 1),
        (["tier,is,gold", "custom.Tier sold,not_in,silver|gold"], 0),
        (["custom.Never sold,is_not,gold"], 0),
    ],
)
def test_a_workflow_s_conditions_are_about_the_account(
    ledger: sa.Engine, releases: Path, conditions: list[str], count: int
) -> None:
    """A campaign for gold customers that reaches everybody, or all of one condition's."""
    made = workflow(TASK, conditions=conditions)
    judge(ledger, releases, with_workflow(made), series("a", [39]))
    with ledger.connect() as connection:
        assert len(connection.execute(sa.select(alert_tasks)).all()) == count


def test_a_workflow_that_was_switched_off_cancels_what_waits(
    ledger: sa.Engine, releases: Path
) -> None:
    """Switched off is off: a reminder three days later would come from nowhere."""
    made = workflow({"action": "reminder", "offset_days": 1})
    days = series("a", [39, 39])
    publish(releases, 1, march(1), days)
    evaluate(ledger, releases, with_workflow(made), recorded_at=RECORDED_AT)
    publish(releases, 2, march(2), days)
    off = made.model_copy(update={"enabled": False})
    evaluate(ledger, releases, with_workflow(off), recorded_at=RECORDED_AT + timedelta(1))
    with ledger.connect() as connection:
        assert connection.scalars(sa.select(workflow_steps.c.state)).all() == ["cancelled"]


def test_a_route_to_a_role_means_whoever_had_it_on_the_day(
    ledger: sa.Engine, releases: Path
) -> None:
    """Told today of a Sunday, an account's former CSM is whom Sunday's mail goes to."""
    team = (
        "create schema alerts",
        (
            "create table alerts.dim_team_members (team_member_id varchar, full_name varchar, "
            "email varchar, manager_id varchar, is_active boolean)"
        ),
        (
            "insert into alerts.dim_team_members values ('x', 'Xi', 'xi@ours.test', 'm', true), "
            "('y', 'Yu', 'yu@ours.test', 'm', true), ('m', 'Mo', 'mo@ours.test', null, true), "
            "('z', 'Zoe', 'zoe@ours.test', null, false)"
        ),
        (
            "create table accounts.account_team (account_id varchar, role varchar, "
            "team_member_id varchar, is_primary boolean, valid_from date, valid_to date)"
        ),
        (
            "insert into accounts.account_team values ('a', 'csm', 'x', true, '2025-01-01', "
            "'2025-03-03'), ('a', 'csm', 'y', true, '2025-03-03', null), "
            "('a', 'account_executive', 'z', true, '2025-01-01', null)"
        ),
    )
    rules = ruleset(rule())
    base = {"rule": "*", "channel": "email", "fallback": "file:none.jsonl", "sends": "opened"}
    routes = tuple(
        Route.model_validate(base | {"position": n, "target": role})
        for n, role in enumerate(["csm", "manager", "account_executive"], 1)
    )
    days = series("a", [39, 50, 39])
    judge(ledger, releases, RuleSet(rules=rules.rules, routes=routes), days, *team)
    with ledger.connect() as connection:
        targets = connection.scalars(sa.select(actions.c.target).order_by(actions.c.number)).all()
    assert targets == [
        "xi@ours.test", "mo@ours.test", "none.jsonl", "yu@ours.test", "mo@ours.test", "none.jsonl",
    ]  # fmt: skip
