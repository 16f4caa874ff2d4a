"""The golden cases of `spec/60-alerts-and-workflows.md`, on releases written by hand."""

import os
import signal
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from assets.alerts import evaluation as evaluation_module
from assets.alerts.evaluation import evaluate
from assets.alerts.ledger import create_ledger
from assets.alerts.ledger_tables import alert_events, alerts, evaluations
from assets.alerts.open_alerts import open_alerts
from assets.alerts.published import ReleaseError
from assets.alerts.rules import RuleSet
from assets.alerts.transitions import Evaluation
from tests.unit.alerts.releases_by_hand import RECORDED_AT, Day, Use, Who, march, publish, series
from tests.unit.alerts.rules_by_hand import contents, critical, only, rule, ruleset, told

WARNING, CRITICAL = "health_fell_below_40", "health_turned_critical"


def run(ledger: sa.Engine, releases: Path, rules: RuleSet) -> list[Evaluation]:
    return evaluate(ledger, releases, rules, recorded_at=RECORDED_AT)


def publish_daily(releases: Path, days: list[Day], accounts: list[Who] | None = None) -> None:
    """One release per day, from the first day on which something is known to the last."""
    for sequence, day in enumerate(sorted({found.day for found in days}), 1):
        publish(releases, sequence, day, days, accounts or [])


def test_the_first_run_fires_for_what_already_holds(ledger: sa.Engine, releases: Path) -> None:
    """A rule that waits for a crossing would never tell of an account that is bad already."""
    publish(releases, 1, march(3), series("a", [50, 39, 30]))
    found = run(ledger, releases, ruleset(rule()))
    assert told(found) == [(march(3), WARNING, "opened", "crossed")]
    assert found[0].days == (march(3),), "only the newest day is judged"
    assert open_alerts(ledger)[0].sentence == "The health of Account a is 30, below 40."


def test_the_first_run_with_a_baseline_is_silent_until_recovery(
    ledger: sa.Engine, releases: Path
) -> None:
    """A noisy rule switched on for 10,000 accounts would bury everybody on its first day."""
    publish_daily(releases, series("a", [30, 30, 44, 46, 30]))
    found = run(ledger, releases, ruleset(rule(on_activation="baseline")))
    assert told(found) == [
        (march(1), WARNING, "suppressed", "baseline"),
        (march(5), WARNING, "opened", "crossed"),
    ]


def test_a_value_that_swings_around_the_threshold_is_one_alert(
    ledger: sa.Engine, releases: Path
) -> None:
    """Without hysteresis 41, 39, 41, 39 opens two alerts."""
    publish_daily(releases, series("a", [41, 39, 41, 39]))
    found = run(ledger, releases, ruleset(rule()))
    assert told(found) == [(march(2), WARNING, "opened", "crossed")]
    (alert,) = open_alerts(ledger)
    assert (alert.status, alert.value, alert.last_value) == ("open", 39, 39)
    assert (alert.opened_on, alert.last_judged_on) == (march(2), march(4))


def test_the_edges_neither_fire_nor_stay_open(ledger: sa.Engine, releases: Path) -> None:
    """Off by one at either edge: the threshold itself is no finding, recover_at is recovery."""
    publish_daily(releases, series("a", [40, 39.9, 44.9, 45]))
    assert told(run(ledger, releases, ruleset(rule()))) == [
        (march(2), WARNING, "opened", "crossed"),
        (march(4), WARNING, "resolved", "recovered"),
    ]


@pytest.mark.parametrize("gap", [None, "no row"])
def test_a_gap_in_the_data_resolves_nothing(
    ledger: sa.Engine, releases: Path, gap: str | None
) -> None:
    """An outage of an extract would look like recovery, and then like a new alert."""
    days = series("a", [39, None, None, 39]) + series("b", [80, 80, 80, 80])
    if gap:
        days = [found for found in days if found.health is not None]
    publish_daily(releases, days)
    found = run(ledger, releases, ruleset(rule()))
    assert told(found) == [(march(1), WARNING, "opened", "crossed")]
    assert [evaluation.unjudged for evaluation in found] == [0, 1, 1, 0]
    assert open_alerts(ledger)[0].last_judged_on == march(4)


def test_missing_data_resolves_or_alerts_where_the_rule_says_so(
    ledger: sa.Engine, releases: Path
) -> None:
    """The three words of `on_missing` are three behaviours; a missing row is no missing value."""
    publish_daily(releases, [*series("a", [39, None]), *series("b", [39]), *series("c", [80, 80])])
    rules = ruleset(
        rule("health_was_missing", on_missing="alert", threshold=1, recover_at=1),
        rule("health_was_low", on_missing="resolve"),
    )
    assert [(found.account_id, found.rule, found.transition, found.cause) for e in
            run(ledger, releases, rules)[1:] for found in e.transitions] == [
        ("a", "health_was_low", "resolved", "missing"),
        ("a", "health_was_missing", "opened", "missing"),
    ]  # fmt: skip
    assert [(a.account_id, a.rule) for a in open_alerts(ledger)] == [
        ("b", "health_was_low"),
        ("a", "health_was_missing"),
    ]


def test_the_cool_down_counts_from_the_trigger(ledger: sa.Engine, releases: Path) -> None:
    """Triggered 1 March, closed 3 March, 7 days: the next can be on 8 March, not on the 10th."""
    publish_daily(releases, series("a", [39, 39, 50, 50, 39, 39, 39, 39, 39]))
    found = run(ledger, releases, ruleset(rule(cooldown_days=7)))
    assert told(found) == [
        (march(1), WARNING, "opened", "crossed"),
        (march(3), WARNING, "resolved", "recovered"),
        (march(5), WARNING, "suppressed", "cooldown"),
        (march(8), WARNING, "opened", "crossed"),
    ]
    assert "can fire again from 2025-03-08 on" in found[4].transitions[0].reason


def test_a_fall_in_one_step_raises_the_critical_alert_only(
    ledger: sa.Engine, releases: Path
) -> None:
    """From 80 to 20 both rules hold; two alerts for one fall are one too many."""
    publish_daily(releases, series("a", [80, 20]))
    found = run(ledger, releases, ruleset(rule(family="health"), critical()))
    assert told(found) == [
        (march(2), CRITICAL, "opened", "crossed"),
        (march(2), WARNING, "suppressed", "superseded"),
    ]
    assert [alert.rule for alert in open_alerts(ledger)] == [CRITICAL]


def test_an_open_warning_is_superseded_and_comes_back_when_the_critical_is_over(
    ledger: sa.Engine, releases: Path
) -> None:
    """Else two alerts of a family stay open, or an account at 35 is told to be well."""
    publish_daily(releases, series("a", [80, 39, 20, 20, 35, 50]))
    found = run(ledger, releases, ruleset(rule(family="health"), critical()))
    assert told(found) == [
        (march(2), WARNING, "opened", "crossed"),
        (march(3), CRITICAL, "opened", "crossed"),
        (march(3), WARNING, "resolved", "superseded"),
        (march(5), CRITICAL, "resolved", "recovered"),
        (march(5), WARNING, "opened", "crossed"),
        (march(6), WARNING, "resolved", "recovered"),
    ]
    with ledger.connect() as connection:
        how = sa.select(alerts.c.resolved_how).order_by(alerts.c.opened_on, alerts.c.rule)
        assert connection.scalars(how).all() == ["superseded", "recovered", "recovered"]
        path = sa.select(alert_events.c.from_status, alert_events.c.to_status).distinct()
        assert set(connection.execute(path)) == {(None, "open"), ("open", "resolved")}


def test_a_rule_that_must_hold_counts_judged_days(ledger: sa.Engine, releases: Path) -> None:
    """A day without data neither breaks a streak nor lengthens it; a better day breaks it."""
    publish_daily(releases, series("a", [80, 39, 39, 41, 39, None, 39, 39, 39]))
    found = run(ledger, releases, ruleset(rule(for_days=3)))
    assert told(found) == [(march(8), WARNING, "opened", "crossed")]
    with ledger.connect() as connection:
        assert connection.scalar(sa.select(alerts.c.held_since)) == march(5)


def test_a_new_rule_that_must_hold_sees_the_days_before(ledger: sa.Engine, releases: Path) -> None:
    """What has held for three days already holds; waiting three more would be three too late."""
    publish(releases, 1, march(4), series("a", [80, 39, 39, 39]) + series("b", [80, 80, 39, 39]))
    found = run(ledger, releases, ruleset(rule(for_days=3)))
    assert [(t.account_id, t.day) for t in found[0].transitions] == [("a", march(4))]
    assert found[0].judged == 2, "the days before are counted by nobody"


def test_a_release_without_a_new_day_evaluates_nothing_and_is_recorded(
    ledger: sa.Engine, releases: Path
) -> None:
    """A release rolled back and published again would fire everything anew."""
    days = series("a", [80, 39, 80, 39])
    publish(releases, 1, march(1), days)
    publish(releases, 2, march(2), days)
    run(ledger, releases, ruleset(rule()))
    before = contents(ledger)
    publish(releases, 3, march(1), days, release_id="rolled-back-and-built-again")
    publish(releases, 4, march(2), series("a", [80, 80]), release_id="published-again")
    found = run(ledger, releases, ruleset(rule()))
    assert [(evaluation.days, evaluation.transitions) for evaluation in found] == [((), ())] * 2
    after = contents(ledger)
    assert len(after.pop("evaluations")) == len(before.pop("evaluations")) + 2
    assert after == before


def test_evaluating_again_changes_nothing(ledger: sa.Engine, releases: Path) -> None:
    """A sensor that asks twice must not tell twice."""
    publish_daily(releases, series("a", [80, 39, 46, 39]))
    run(ledger, releases, ruleset(rule()))
    before = contents(ledger)
    assert run(ledger, releases, ruleset(rule())) == []
    assert contents(ledger) == before


def test_a_sensor_that_was_down_gives_what_daily_evaluation_gives(
    tmp_path: Path, releases: Path
) -> None:
    """Taking the newest of three waiting releases alone would lose what happened between."""
    rules = ruleset(rule(family="health", cooldown_days=2), critical())
    days = series("a", [80, 39, 20, 35, 50, 39, 39]) + series("b", [39, 50, 39, 50, 20, None, 20])
    one_by_one, at_once = (create_ledger(f"sqlite:///{tmp_path / n}.sqlite") for n in "ab")
    for sequence in range(1, 8):
        publish(releases, sequence, march(sequence), days)
        run(one_by_one, releases, rules)
        if sequence in (1, 4, 7):
            run(at_once, releases, rules)
    assert contents(one_by_one) == contents(at_once)


def test_a_missed_weekend_changes_only_which_release_told_it(tmp_path: Path) -> None:
    """A day must be judged as itself, also when it comes in a release with two others."""
    rules = ruleset(rule(family="health", cooldown_days=2, for_days=2), critical())
    days = series("a", [80, 39, 39, 20, 35, 50, 39, 39])
    daily, missed = tmp_path / "daily", tmp_path / "missed"
    for sequence in range(1, 9):
        publish(daily, sequence, march(sequence), days)
        if sequence in (1, 4, 5, 8):
            publish(missed, sequence, march(sequence), days)
    ledgers = [create_ledger(f"sqlite:///{tmp_path / n}.sqlite") for n in "ab"]
    run(ledgers[0], daily, rules)
    run(ledgers[1], missed, rules)
    told_by = ("release_id", "opened_at", "resolved_at", "payload", "activated_on")
    first, second = (contents(ledger, *told_by) for ledger in ledgers)
    del first["evaluations"], second["evaluations"]
    assert first == second


def test_a_new_rule_begins_on_the_newest_day_only(ledger: sa.Engine, releases: Path) -> None:
    """A rule added after a missed weekend would fire for days on which nobody had written it."""
    publish(releases, 1, march(1), series("a", [39, 39, 80]))
    run(ledger, releases, ruleset(rule()))
    publish(releases, 2, march(3), series("a", [39, 39, 80]) + series("b", [20, 20, 20]))
    found = run(ledger, releases, ruleset(rule(), critical(family="other")))
    assert [(t.day, t.account_id, t.rule) for t in found[0].transitions] == [
        (march(2), "b", WARNING),
        (march(3), "a", WARNING),
        (march(3), "b", CRITICAL),
    ]


@pytest.mark.parametrize(("change", "how"), [("off", "rule_disabled"), ("gone", "rule_removed")])
def test_a_rule_that_ends_resolves_its_alerts_and_begins_anew(
    ledger: sa.Engine, releases: Path, change: str, how: str
) -> None:
    """Its alerts can be judged by nobody and would stand open for ever."""
    days = series("a", [39, 39, 39])
    without = ruleset(rule(enabled=False)) if change == "off" else ruleset()
    results = []
    for sequence, rules in enumerate([ruleset(rule()), without, ruleset(rule())], 1):
        publish(releases, sequence, march(sequence), days)
        results += run(ledger, releases, rules)
    assert told(results) == [
        (march(1), WARNING, "opened", "crossed"),
        (march(2), WARNING, "resolved", how),
        (march(3), WARNING, "opened", "crossed"),
    ]


def test_only_customers_are_judged_unless_a_filter_names_the_status(
    ledger: sa.Engine, releases: Path
) -> None:
    """Leads, trials and churned accounts have no health; test accounts never alert."""
    statuses = ["customer", "past_due", "lead", "trial", "churned"]
    days = [Day(account=s, day=march(1), health=20, status=s) for s in statuses]
    days.append(Day(account="test", day=march(1), health=20))
    publish(releases, 1, march(1), days, [Who(account="test", is_test=True)])
    name = "trial_was_low"
    rules = ruleset(rule(), rule(name, **only("account_status", "in", "trial|lead", name)))
    found = run(ledger, releases, rules)[0]
    assert [(t.account_id, t.rule) for t in found.transitions] == [
        ("customer", WARNING),
        ("lead", name),
        ("past_due", WARNING),
        ("trial", name),
    ]


def test_an_account_that_left_the_rule_is_resolved_as_such(
    ledger: sa.Engine, releases: Path
) -> None:
    """A churned account's alert would stay open for ever: it is never judged again."""
    days = [
        Day(account="a", day=march(n), health=20, status=status)
        for n, status in enumerate(["customer", "churned"], 1)
    ]
    publish_daily(releases, days)
    assert told(run(ledger, releases, ruleset(rule())))[1:] == [
        (march(2), WARNING, "resolved", "out_of_scope")
    ]


@pytest.mark.parametrize("became", ["a test", "part of another"])
def test_the_alerts_of_an_account_that_is_no_more_are_resolved(
    ledger: sa.Engine, releases: Path, became: str
) -> None:
    """It has no days from then on: its alerts would stay open for ever, and remind people."""
    scoped = rule(
        "module_was_left",
        metric="use_count_7d",
        scope="module:A",
        operator="below",
        threshold="5",
        recover_at="6",
    )
    day, use = (
        Day(account="a", day=march(1), health=20),
        Use(account="a", day=march(1), scope="module:A", count=1),
    )
    other = [Day(account="b", day=march(n), health=90) for n in (1, 2)]
    publish(releases, 1, march(1), [day, *other], uses=[use])
    if became == "a test":
        publish(releases, 2, march(2), [day, *other], [Who(account="a", is_test=True)], uses=[use])
    else:
        use = Use(account="b", day=march(2), scope="module:A", count=9)
        publish(releases, 2, march(2), other, uses=[use])
    found = told(run(ledger, releases, ruleset(rule(), scoped)))
    assert found[2:] == [
        (march(2), WARNING, "resolved", "out_of_scope"),
        (march(2), "module_was_left", "resolved", "out_of_scope"),
    ]


@pytest.mark.parametrize("attribute", ["tier", "custom.Tier sold"])
@pytest.mark.parametrize(
    ("operator", "value", "fires"),
    [
        ("is", "gold", "g"),
        ("is_not", "gold", "s"),
        ("in", "gold | tin", "g"),
        ("not_in", "x", "gs"),
    ],
)
def test_filters_compare_attributes_and_count_missing_ones(
    ledger: sa.Engine, releases: Path, attribute: str, operator: str, value: str, fires: str
) -> None:
    """`tier is not gold` must not mean the accounts whose tier nobody knows."""
    accounts = [Who(account="g"), Who(account="s", tier="silver"), Who(account="n", tier=None)]
    days = [Day(account=found.account, day=march(1), health=20) for found in accounts]
    publish(releases, 1, march(1), days, accounts)
    (found,) = run(ledger, releases, ruleset(rule(**only(attribute, operator, value))))
    assert "".join(t.account_id for t in found.transitions) == fires
    assert (found.attribute_missing, found.unjudged) == (1, 1)


def test_an_attribute_that_went_missing_resolves_nothing(ledger: sa.Engine, releases: Path) -> None:
    """An account whose tier a bad extract lost could not be judged; it has not recovered."""
    days = series("a", [20, 80])
    rules = ruleset(rule(**only("tier", "is", "gold")))
    publish(releases, 1, march(1), days, [Who(account="a")])
    publish(releases, 2, march(2), days, [Who(account="a", tier=None)])
    assert len(told(run(ledger, releases, rules))) == 1
    assert len(open_alerts(ledger)) == 1


def test_rules_on_rising_metrics_fire_above(ledger: sa.Engine, releases: Path) -> None:
    """Half of the metrics are bad when they rise; days since last activity is one of them."""
    days = [Day(account="a", day=march(n), quiet_days=v) for n, v in enumerate([14, 15, 4, 3], 1)]
    publish_daily(releases, days)
    changes = {"metric": "days_since_last_activity", "operator": "above", "recover_at": 3}
    found = run(ledger, releases, ruleset(rule("users_went_quiet", threshold=14, **changes)))
    assert [(day, kind) for day, _, kind, _ in told(found)] == [
        (march(2), "opened"),
        (march(4), "resolved"),
    ]


def test_ratios_are_told_in_per_cent(ledger: sa.Engine, releases: Path) -> None:
    """`-0.62` says nothing to a reader of an e-mail."""
    publish(releases, 1, march(1), [Day(account="a", day=march(1), change=-0.625)])
    changes = {"metric": "use_count_change_ratio", "threshold": -0.5, "recover_at": -0.25}
    run(ledger, releases, ruleset(rule("usage_fell", **changes)))
    assert open_alerts(ledger)[0].sentence == "The health of Account a is -62.5 %, below -50 %."


def test_a_metric_that_a_release_does_not_hold_is_noted_and_judges_nothing(
    ledger: sa.Engine, releases: Path
) -> None:
    """A rule on a new metric must neither stop older releases nor resolve anything."""
    publish(releases, 1, march(1), series("a", [39]))
    (found,) = run(ledger, releases, ruleset(rule(), rule("no_logins", metric="login_count")))
    assert found.notes == ("no_logins was not judged: the release holds no metric login_count",)
    assert (found.rules, found.opened) == (1, 1)


def test_the_last_full_day_is_local(ledger: sa.Engine, releases: Path) -> None:
    """Midnight in Berlin is 22 or 23 hours UTC of the day before."""
    place = {"as_of": "2025-03-03T23:00:00+00:00", "time_zone": "Europe/Berlin"}
    publish(releases, 1, march(3), series("a", [50, 50, 39]), manifest=place)
    assert run(ledger, releases, ruleset(rule()))[0].days == (march(3),)


def test_current_is_no_release_and_half_a_folder_neither(ledger: sa.Engine, releases: Path) -> None:
    """The link would be a second release, and what is being built may never be published."""
    (releases / "current").symlink_to(publish(releases, 1, march(1), series("a", [39])))
    publish(releases, 2, march(2), series("a", [39, 39]), release_id=".building-r0002")
    (releases / "not-a-release").mkdir()
    assert len(run(ledger, releases, ruleset(rule()))) == 1


def test_a_damaged_release_is_named_and_those_before_it_are_evaluated(
    ledger: sa.Engine, releases: Path
) -> None:
    """A torn file must neither lose the day before nor end in a stack trace about bytes."""
    publish(releases, 1, march(1), series("a", [39]))
    (publish(releases, 2, march(2), series("a", [39, 39])) / "csw.duckdb").write_bytes(b"torn")
    with pytest.raises(ReleaseError, match="The release r0002 can't be read"):
        run(ledger, releases, ruleset(rule()))
    assert len(open_alerts(ledger)) == 1


def test_a_failure_in_the_middle_leaves_nothing_of_the_release(
    ledger: sa.Engine, releases: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alerts without the memory that belongs to them would open again on the next try."""
    publish(releases, 1, march(1), series("a", [39]))
    before = contents(ledger)
    with monkeypatch.context() as broken:
        broken.setattr(evaluation_module, "save_memory", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run(ledger, releases, ruleset(rule()))
    assert contents(ledger) == before
    assert told(run(ledger, releases, ruleset(rule()))) == [
        (march(1), WARNING, "opened", "crossed")
    ]


KILLED = """
import os, signal, sys
from pathlib import Path
from assets.alerts import evaluation
from assets.alerts.ledger import create_ledger
from tests.unit.alerts.releases_by_hand import RECORDED_AT
from tests.unit.alerts.rules_by_hand import rule, ruleset
evaluation.save_memory = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
url, releases = sys.argv[1:]
evaluation.evaluate(create_ledger(url), Path(releases), ruleset(rule()), recorded_at=RECORDED_AT)
"""


def test_killed_in_the_middle_it_gives_what_it_would_have_given(
    tmp_path: Path, releases: Path
) -> None:
    """Half a release in the ledger would be an alert told twice or never."""
    publish(releases, 1, march(1), series("a", [39]))
    url = f"sqlite:///{tmp_path / 'killed.sqlite'}"
    command = [sys.executable, "-c", KILLED, url, str(releases)]
    root = Path(__file__).parents[3]
    path = {**os.environ, "PYTHONPATH": str(root)}
    ended = subprocess.run(command, cwd=root, env=path, check=False)  # noqa: S603
    assert ended.returncode == -signal.SIGKILL
    killed, clean = create_ledger(url), create_ledger(f"sqlite:///{tmp_path / 'clean.sqlite'}")
    run(killed, releases, ruleset(rule()))
    run(clean, releases, ruleset(rule()))
    assert contents(killed) == contents(clean)


def test_the_ledger_says_what_each_evaluation_did(ledger: sa.Engine, releases: Path) -> None:
    """The table in the UI is made from this row."""
    publish(releases, 1, march(1), series("a", [80, 39]) + series("b", [39, 80]))
    publish(releases, 2, march(2), series("a", [80, 39]) + series("b", [39, 80]))
    run(ledger, releases, ruleset(rule()))
    with ledger.connect() as connection:
        row = connection.execute(sa.select(evaluations).where(evaluations.c.sequence == 2)).one()
    assert (row.from_day, row.to_day, row.days, row.rules) == (march(2), march(2), 1, 1)
    assert (row.judged, row.opened, row.resolved, row.suppressed, row.unjudged) == (2, 1, 1, 0, 0)
    assert row.as_of.date() == march(2) + timedelta(days=1)
    assert row.recorded_at == RECORDED_AT
    assert isinstance(row.to_day, date)
