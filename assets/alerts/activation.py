"""Which rules are judged on which days: old ones on every new day, new ones on the newest only."""

from datetime import date, timedelta

import sqlalchemy as sa

from assets.alerts.judging import Mode
from assets.alerts.ledger_tables import rule_activations, rule_states
from assets.alerts.rules import Rule, RuleSet

Planned = tuple[Rule, Mode]
Schedule = dict[date, list[Planned]]


def schedule(days: list[date], rules: list[Rule], active: set[str]) -> Schedule:
    """What is judged on each day, in the order of the days.

    A rule that is new judges the newest day alone: it fires for what already holds, or takes a
    silent baseline. The days before it, as many as `for_days` asks for, are only counted, so that
    what has held long enough fires at once.

    Args:
        days: the days that are new to the ledger, oldest first.
        rules: the rules that can be judged.
        active: the names of those that were judged before.
    """
    old: list[Planned] = [(rule, "live") for rule in rules if rule.rule in active]
    planned: Schedule = {day: list(old) for day in days}
    for rule in rules:
        if rule.rule not in active:
            for back in range(1, rule.for_days):
                planned.setdefault(days[-1] - timedelta(days=back), []).append((rule, "warming"))
            mode: Mode = "baseline" if rule.on_activation == "baseline" else "live"
            planned[days[-1]].append((rule, mode))
    return dict(sorted(planned.items()))


def active_rules(ledger: sa.Connection) -> dict[str, str]:
    """The rules that were judged before, each with the version that was judged last."""
    rows = ledger.execute(sa.select(rule_activations.c.rule, rule_activations.c.rule_version))
    return {row.rule: row.rule_version for row in rows}


def activation_days(ledger: sa.Connection) -> dict[str, date]:
    """The day on which each rule that is judged now was judged first."""
    rows = ledger.execute(sa.select(rule_activations.c.rule, rule_activations.c.activated_on))
    return {row.rule: row.activated_on for row in rows}


def ended_rules(active: dict[str, str], rules: RuleSet) -> dict[str, str]:
    """The rules that are judged no more, each with how its open alerts are resolved."""
    enabled = {rule.rule for rule in rules.enabled}
    known = {rule.rule for rule in rules.rules}
    return {
        name: "rule_disabled" if name in known else "rule_removed"
        for name in sorted(active)
        if name not in enabled
    }


def forget(ledger: sa.Connection, ended: dict[str, str]) -> None:
    """Drops what ended rules remember: switched on again, they begin anew."""
    for table in (rule_states, rule_activations):
        ledger.execute(sa.delete(table).where(table.c.rule.in_(sorted(ended))))


def remember(
    ledger: sa.Connection, judged: list[Rule], active: dict[str, str], day: date, release_id: str
) -> None:
    """Notes the rules that were judged for the first time, and the wording of the others."""
    for rule in judged:
        if rule.rule not in active:
            ledger.execute(
                sa.insert(rule_activations).values(
                    rule=rule.rule,
                    rule_version=rule.version,
                    activated_on=day,
                    release_id=release_id,
                )
            )
        elif active[rule.rule] != rule.version:
            ledger.execute(
                sa.update(rule_activations)
                .where(rule_activations.c.rule == rule.rule)
                .values(rule_version=rule.version)
            )
