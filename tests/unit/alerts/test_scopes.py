"""Rules on one module, feature or event: an alert each, told apart by its dimensions."""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from assets.alerts.evaluation import evaluate
from assets.alerts.ledger_tables import (
    actions,
    alerts,
    held_rules,
    rule_states,
    suppressions,
)
from assets.alerts.linting import lint
from assets.alerts.people import Asked, take_action
from assets.alerts.replay import performance, replay
from assets.alerts.rules import Rule, RuleSet
from assets.alerts.transitions import Evaluation
from assets.alerts.workflow_rules import Workflow, WorkflowStep
from assets.alerts.workflow_tables import alert_tasks, workflow_audit_log
from tests.unit.alerts.releases_by_hand import RECORDED_AT, Day, Use, Who, march, publish
from tests.unit.alerts.rules_by_hand import only, rule, ruleset

MAP, REPORTS = "module:Map", "module:Reports"
Told = list[tuple[date, str | None, str, str]]


def unused(name: str = "module_went_unused", **changes: object) -> Rule:
    """Fires for each module that was used less than five times in seven days; over from ten on."""
    row = {
        "sentence": "{account} used {scope} {value} times in 7 days.",
        "metric": "use_count_7d",
        "scope": f"{MAP}|{REPORTS}",
        "threshold": 5,
        "recover_at": 10,
    }
    return rule(name, **(row | changes))


def used(counts: Mapping[str, list[float | None]], account: str = "a") -> list[Use]:
    """From 1 March on, by scope."""
    return [
        Use(account=account, day=march(n), scope=scope, count=count)
        for scope, listed in counts.items()
        for n, count in enumerate(listed, 1)
    ]


def run(
    ledger: sa.Engine,
    releases: Path,
    rules: RuleSet,
    uses: list[Use],
    accounts: list[Who] | None = None,
) -> list[Evaluation]:
    """A release per day on which anything is known."""
    names = sorted({use.account for use in uses})
    for sequence, day in enumerate(sorted({use.day for use in uses}), 1):
        days = [Day(account=name, day=march(n)) for name in names for n in range(1, day.day + 1)]
        publish(releases, sequence, day, days, accounts or [], uses=uses)
    return evaluate(ledger, releases, rules, recorded_at=RECORDED_AT)


def told(found: list[Evaluation]) -> Told:
    """Day, scope, transition and cause."""
    return [(t.day, t.scope, t.transition, t.cause) for each in found for t in each.transitions]


def column(ledger: sa.Engine, asked: sa.ColumnElement[object]) -> list[object]:
    with ledger.connect() as connection:
        return sorted(connection.scalars(sa.select(asked)), key=str)


def test_two_modules_of_one_account_are_two_alerts_and_one_can_end(
    ledger: sa.Engine, releases: Path
) -> None:
    """Without dimensions the second would be no alert, or the end of one the end of both."""
    uses = used({MAP: [4, 4, 12], REPORTS: [3, 3, 3]})
    found = run(ledger, releases, ruleset(unused()), uses)
    assert told(found) == [
        (march(1), MAP, "opened", "crossed"),
        (march(1), REPORTS, "opened", "crossed"),
        (march(3), MAP, "resolved", "recovered"),
    ]
    with ledger.connect() as connection:
        rows = connection.execute(sa.select(alerts).order_by(alerts.c.dimensions)).all()
    assert [(row.dimensions, row.status, row.last_value, row.sentence) for row in rows] == [
        ('{"module":"Map"}', "resolved", 12, "Account a used Map 4 times in 7 days."),
        ('{"module":"Reports"}', "open", 3, "Account a used Reports 3 times in 7 days."),
    ]
    assert found[0].transitions[0].reason == "use_count_7d of module Map is 4, below 5"
    assert len(set(column(ledger, actions.c.action_key))) == 3


def test_what_is_told_names_the_module_and_its_own_trend(ledger: sa.Engine, releases: Path) -> None:
    """A message that says the account fell silent, with the curve of everything that it does."""
    run(ledger, releases, ruleset(unused(scope=MAP)), used({MAP: [9, 8, 4], REPORTS: [1, 1, 1]}))
    (payload,) = column(ledger, actions.c.payload)
    assert isinstance(payload, dict)
    assert (payload["scope"], payload["trend"][-3:]) == (MAP, [9, 8, 4])
    assert [entry["scope"] for entry in column(ledger, workflow_audit_log.c.inputs)] == [MAP]


def test_the_same_module_opens_the_same_alert_however_often_it_is_judged(
    ledger: sa.Engine, releases: Path
) -> None:
    """An id without the scope in it would be another's, and its message never sent."""
    run(ledger, releases, ruleset(unused()), used({MAP: [4], REPORTS: [4]}))
    assert len(set(column(ledger, alerts.c.alert_id))) == 2
    assert evaluate(ledger, releases, ruleset(unused()), recorded_at=RECORDED_AT) == []


def test_a_severer_rule_supersedes_the_same_module_s_alert_only(
    ledger: sa.Engine, releases: Path
) -> None:
    """A critical alert of one module would silence the warning about another."""
    rules = ruleset(
        unused(family="use"),
        unused("module_was_dropped", family="use", severity="critical", threshold=1, recover_at=2),
    )
    found = run(ledger, releases, rules, used({MAP: [4, 0], REPORTS: [4, 4]}))
    assert [(t.day, t.scope, t.rule, t.cause) for e in found for t in e.transitions] == [
        (march(1), MAP, "module_went_unused", "crossed"),
        (march(1), REPORTS, "module_went_unused", "crossed"),
        (march(2), MAP, "module_was_dropped", "crossed"),
        (march(2), MAP, "module_went_unused", "superseded"),
    ]


def test_cool_down_hysteresis_and_for_days_are_each_module_s_own(
    ledger: sa.Engine, releases: Path
) -> None:
    """Map rests until 5 March; Reports, due two days later, is none of its business."""
    uses = used({MAP: [4, 12, 4, 4, 4], REPORTS: [9, 9, 4, 9, 4]})
    found = run(ledger, releases, ruleset(unused(cooldown_days=4)), uses)
    assert told(found) == [
        (march(1), MAP, "opened", "crossed"),
        (march(2), MAP, "resolved", "recovered"),
        (march(3), MAP, "suppressed", "cooldown"),
        (march(3), REPORTS, "opened", "crossed"),
        (march(5), MAP, "opened", "crossed"),
    ]
    assert column(ledger, suppressions.c.dimensions) == ['{"module":"Map"}']
    assert column(ledger, rule_states.c.dimensions) == ['{"module":"Map"}', '{"module":"Reports"}']


def test_a_fall_in_per_cent_looks_back_at_the_same_module(
    ledger: sa.Engine, releases: Path
) -> None:
    """Compared with another module's use of before, every small module would have fallen."""
    fell = unused(threshold=-0.5, recover_at=-0.2, change="percent", window_days=2)
    found = run(ledger, releases, ruleset(fell), used({MAP: [100, 90, 40], REPORTS: [4, 4, 4]}))
    assert told(found) == [(march(3), MAP, "opened", "crossed")]
    assert found[2].transitions[0].reason == (
        "the change of use_count_7d of module Map in 2 days is -60 %, below -50 %"
    )


@pytest.mark.parametrize("gap", [None, "no row"])
def test_a_module_that_could_not_be_judged_is_not_resolved(
    ledger: sa.Engine, releases: Path, gap: str | None
) -> None:
    """No events had landed, or the release has no such pair: neither is a recovery."""
    uses = used({MAP: [4, None, 4], REPORTS: [12, 12, 12]})
    if gap:
        uses = [use for use in uses if use.count is not None]
    found = run(ledger, releases, ruleset(unused()), uses)
    assert told(found) == [(march(1), MAP, "opened", "crossed")]
    assert [each.unjudged for each in found] == [0, 1, 0]
    said = "module_went_unused was not judged of module Map: the release holds no use_count_7d of"
    assert [note.startswith(said) for note in found[1].notes] == ([True] if gap else [])


def test_a_rule_on_what_no_release_has_is_noted_and_judges_nothing(
    ledger: sa.Engine, releases: Path
) -> None:
    """`on_missing: alert` would fire for everybody on the day on which the rule is written."""
    rules = ruleset(unused(scope="event:shared", on_missing="alert"))
    (found,) = run(ledger, releases, rules, used({MAP: [4]}))
    assert found.notes == (
        (
            "module_went_unused was not judged: the release holds no metric use_count_7d of event"
            " shared"
        ),
    )
    assert (found.rules, found.opened) == (0, 0)


def test_a_scope_that_a_rule_loses_ends_its_alerts(ledger: sa.Engine, releases: Path) -> None:
    """Nobody judges it any more: it would stand open for ever."""
    uses = used({MAP: [4, 4], REPORTS: [4, 4]})
    found = []
    for sequence, scope in enumerate([f"{MAP}|{REPORTS}", REPORTS], 1):
        publish(releases, sequence, march(sequence), [Day(account="a", day=march(n))
                for n in (1, 2)], uses=uses)  # fmt: skip
        rules = ruleset(unused(scope=scope))
        found += evaluate(ledger, releases, rules, recorded_at=RECORDED_AT)
    assert told(found)[2:] == [(march(2), MAP, "resolved", "out_of_scope")]
    assert found[1].transitions[0].reason == "the rule is no longer about module Map"
    assert column(ledger, alerts.c.status) == ["open", "resolved"]


def test_filters_narrow_a_rule_with_a_scope(ledger: sa.Engine, releases: Path) -> None:
    """A rule for gold customers that is told of everybody's modules."""
    accounts = [Who(account="a"), Who(account="b", tier="silver"), Who(account="n", tier=None)]
    uses = [use for who in accounts for use in used({MAP: [4], REPORTS: [4]}, who.account)]
    rules = ruleset(unused(**only("tier", "is", "gold", "module_went_unused")))
    (found,) = run(ledger, releases, rules, uses, accounts)
    assert {t.account_id for t in found.transitions} == {"a"}
    assert found.opened == 2


def test_the_storm_guard_counts_accounts_and_not_their_modules(
    ledger: sa.Engine, releases: Path
) -> None:
    """Six of 40 customers with two modules each are twelve alerts, and six customers."""
    uses = [
        use
        for n in range(40)
        for use in used({MAP: [4 if n < 6 else 20, 4 if n < 11 else 20],
                         REPORTS: [4 if n < 6 else 20] * 2}, f"a{n:02}")
    ]  # fmt: skip
    first, second = run(ledger, releases, ruleset(unused(max_share=0.1)), uses)
    assert (first.opened, first.held) == (12, ())
    assert second.held == ()
    assert second.opened == 5
    assert column(ledger, held_rules.c.would_fire) == []


def test_a_module_whose_events_stopped_is_held_for_all(ledger: sa.Engine, releases: Path) -> None:
    """A renamed module would send a mail for every customer who ever used it."""
    uses = [use for n in range(40) for use in used({MAP: [4], REPORTS: [20]}, f"a{n:02}")]
    (found,) = run(ledger, releases, ruleset(unused(max_share=0.1)), uses)
    assert (found.opened, [held.would_fire for held in found.held]) == (0, [40])


def test_what_a_person_resolved_stays_silent_for_its_own_module(
    ledger: sa.Engine, releases: Path
) -> None:
    """Resolved by hand, Map would open again on the next day, or silence Reports."""
    uses = used({MAP: [4, 4], REPORTS: [20, 4]})
    publish(releases, 1, march(1), [Day(account="a", day=march(1))], uses=uses)
    evaluate(ledger, releases, ruleset(unused()), recorded_at=RECORDED_AT)
    (alert_id,) = column(ledger, alerts.c.alert_id)
    asked = Asked(act="resolved", alert_id=str(alert_id), who="Ann", why="x", at=RECORDED_AT)
    take_action(ledger, asked)
    publish(releases, 2, march(2), [Day(account="a", day=march(2))], uses=uses)
    found = evaluate(ledger, releases, ruleset(unused()), recorded_at=RECORDED_AT)
    assert told(found) == [(march(2), REPORTS, "opened", "crossed")]


def test_a_workflow_s_task_names_the_module(ledger: sa.Engine, releases: Path) -> None:
    """Two tasks of one account that read the same."""
    step = WorkflowStep.model_validate(
        {"workflow": "w", "position": 1, "action": "assign_task", "channel": "email",
         "target": "csm", "fallback": "file:t.jsonl", "title": "Ask {account} about {scope}."}
    )  # fmt: skip
    made = Workflow.model_validate(
        {"workflow": "w", "description": "d", "rule": "module_went_unused", "trigger": "opened"}
    ).model_copy(update={"steps": (step,)})
    base = ruleset(unused())
    rules = RuleSet(rules=base.rules, routes=base.routes, workflows=(made,))
    run(ledger, releases, rules, used({MAP: [4], REPORTS: [4]}))
    assert column(ledger, alert_tasks.c.title) == [
        "Ask Account a about Map.", "Ask Account a about Reports.",
    ]  # fmt: skip


def test_replay_finds_what_was_sent_and_an_edit_may_add_a_module(
    ledger: sa.Engine, releases: Path
) -> None:
    """A rule on modules that could not be tried on the past would be tried on customers."""
    uses = used({MAP: [4, 12, 4, 12, 4, 12], REPORTS: [12, 12, 4, 4, 4, 4]})
    rules = ruleset(unused())
    live = run(ledger, releases, rules, uses)
    again = replay(releases, rules, march(1), march(6))
    assert set(again.transitions) == {t for each in live for t in each.transitions}
    summed = performance(again.alerts, again.last)
    assert (summed.alerts, summed.accounts, summed.still_open) == (4, 1, 1)
    (flaps,) = [each for each in lint(list(rules.rules), again) if each.problem == "flaps"]
    assert "for 1 accounts (a)" in flaps.sentence
    edited = replay(releases, ruleset(unused(scope=REPORTS)), march(1), march(6))
    assert [json.loads(alert.dimensions) for alert in edited.alerts] == [{"module": "Reports"}]


def test_modules_that_take_turns_do_not_flap(ledger: sa.Engine, releases: Path) -> None:
    """Three modules that fell once each are three findings and no rule that is on and off."""
    names = [MAP, REPORTS, "module:Admin"]
    uses = used({name: [4 if n == m else 20 for n in range(3)] for m, name in enumerate(names)})
    run(ledger, releases, ruleset(unused(scope="|".join(names))), uses)
    again = replay(releases, ruleset(unused(scope="|".join(names))), march(1), march(3))
    assert len(again.alerts) == 3
    assert "flaps" not in {each.problem for each in lint([unused()], again)}
