"""A replay finds what live evaluation found, and what a rule would have found."""

from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.alerts.activation import activation_days
from assets.alerts.evaluation import evaluate
from assets.alerts.ledger import create_ledger
from assets.alerts.ledger_tables import alerts
from assets.alerts.linting import lint
from assets.alerts.replay import ReplayError, performance, replay
from assets.alerts.rules import RuleSet
from tests.unit.alerts.releases_by_hand import RECORDED_AT, Day, march, publish, series
from tests.unit.alerts.rules_by_hand import critical, rule, ruleset

RULES = ruleset(rule(family="health", cooldown_days=3, for_days=2), critical(), rule("was_low"))


def live(ledger: sa.Engine, releases: Path, rules: RuleSet = RULES) -> tuple[set, list]:
    """What evaluation found, and the alerts that it left."""
    done = evaluate(ledger, releases, rules, recorded_at=RECORDED_AT)
    with ledger.connect() as connection:
        columns = [alerts.c[n] for n in ("rule", "account_id", "opened_on", "resolved_on")]
        rows = connection.execute(sa.select(*columns)).all()
    return {found for each in done for found in each.transitions}, sorted(map(repr, rows))


SCORES = st.lists(st.sampled_from([20.0, 39.0, 42.0, 80.0, None]), min_size=6, max_size=6)


@settings(max_examples=3, deadline=None, derandomize=True)
@given(first=SCORES, second=SCORES, steps=st.lists(st.integers(1, 3), min_size=2, max_size=4))
def test_a_replay_over_live_days_finds_what_was_sent(
    tmp_path_factory: pytest.TempPathFactory, first: list, second: list, steps: list[int]
) -> None:
    """A replay by other code than the evaluation's would be a second opinion, not a replay."""
    folder = tmp_path_factory.mktemp("replay")
    days, last = series("a", first) + series("b", second), 1
    publish(folder, 1, march(1), days)
    for sequence, step in enumerate(steps, 2):
        last = min(last + step, 6)
        publish(folder, sequence, march(last), days)
    ledger = create_ledger(f"sqlite:///{folder}/l.sqlite")
    found, left = live(ledger, folder)
    again = replay(folder, RULES, march(1), march(6))
    assert set(again.transitions) == found
    assert len(again.transitions) == len(found)
    rows = [(a.rule, a.account_id, a.opened_on, a.resolved_on) for a in again.alerts]
    assert sorted(map(repr, rows)) == left
    ledger.dispose()


def test_a_replay_of_some_live_days_finds_what_was_sent_on_them(
    ledger: sa.Engine, releases: Path
) -> None:
    """An alert of last month that is still open, told as if it had begun on the replay's first."""
    days = series("a", [39, 39, 39, 50, 39, 50]) + series("b", [80, 80, 20, 20, 20, 80])
    for sequence, last in enumerate((1, 2, 5, 6), 1):
        publish(releases, sequence, march(last), days)
        rules = RULES if sequence > 1 else ruleset(*RULES.rules[1:])
        evaluate(ledger, releases, rules, recorded_at=RECORDED_AT)
    with ledger.connect() as connection:
        begun = activation_days(connection)
        columns = (alerts.c.rule, alerts.c.account_id, alerts.c.opened_on, alerts.c.resolved_on)
        rows = connection.execute(sa.select(*columns).where(alerts.c.opened_on >= march(3))).all()
    assert begun[RULES.rules[0].rule] == march(2)
    found = replay(releases, RULES, march(3), march(6), begun)
    assert len(rows) >= 2
    assert sorted(
        (a.rule, a.account_id, a.opened_on, a.resolved_on) for a in found.alerts
    ) == sorted(map(tuple, rows))
    assert {found.day for found in found.transitions} <= {march(n) for n in (3, 4, 5, 6)}


def test_one_release_is_replayed_day_by_day(releases: Path) -> None:
    """A new rule judges the newest day alone when it is live; a replay asks about the past."""
    publish(releases, 1, march(5), series("a", [39, 50, 39, 50, 39]))
    found = replay(releases, ruleset(rule()), march(1), march(4))
    assert [(alert.opened_on, alert.resolved_on) for alert in found.alerts] == [
        (march(1), march(2)),
        (march(3), march(4)),
    ]


def test_precision_counts_what_has_an_outcome(releases: Path) -> None:
    """An alert of last week whose account is still there is neither right nor wrong yet."""

    def day(account: str, n: int, status: str = "customer") -> Day:
        return Day(account=account, day=march(n), health=30, status=status)

    days = [day("lost", 1), day("lost", 2, "churned"), day("kept", 1), day("kept", 95)]
    days.append(day("new", 94))
    publish(releases, 1, march(95), days)
    found = replay(releases, ruleset(rule()), march(1), march(95))
    summed = performance(found.alerts, found.last)
    assert (summed.alerts, summed.outcomes, summed.lost) == (3, 2, 1)
    assert summed.precision == 0.5


def test_days_that_no_release_has_are_refused(releases: Path) -> None:
    """An empty answer would look like a rule that never fires."""
    publish(releases, 1, march(2), series("a", [39, 39]))
    with pytest.raises(ReplayError, match="no release has a day between"):
        replay(releases, ruleset(rule()), date(2026, 1, 1), date(2026, 1, 2))


def test_rules_that_nobody_could_want_are_named(releases: Path) -> None:
    """A rule for everybody, for nobody, or on and off is switched off by those who get it."""
    days = [
        Day(account=a, day=march(n), health=30, tickets=n % 2 * 9)
        for a in "abc"
        for n in range(1, 8)
    ]
    publish(releases, 1, march(7), days)
    rules = ruleset(
        rule("everyone"),
        rule("nobody", threshold=1, recover_at=None),
        rule("flaps", metric="open_tickets", operator="above", threshold=5, recover_at=None),
    )
    found = lint(list(rules.rules), replay(releases, rules, march(1), march(7)))
    assert [(each.rule, each.problem) for each in found] == [
        ("everyone", "everyone"),
        ("nobody", "never"),
        ("flaps", "everyone"),
        ("flaps", "flaps"),
    ]
