"""Turns the rows that a day moved, and the alerts of rules that ended, into findings."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import polars as pl
import sqlalchemy as sa

from assets.alerts.accounts import Account
from assets.alerts.digests import digest
from assets.alerts.ledger_tables import alerts
from assets.alerts.rules import Rule
from assets.alerts.scopes import dimensions_of, scope_of_dimensions, spoken
from assets.alerts.transitions import (
    Transition,
    TransitionKind,
    Value,
    cooldown_reason,
    reason_of,
    sentence_of,
    unit_of,
)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A transition with all that is needed to record and to tell it.

    `opened_on` is the day of the alert that it belongs to (of one held back: the day itself).
    """

    transition: Transition
    rule_version: str
    family: str
    metric: str
    unit: str | None
    what_to_do: str
    account: Account
    opened_on: date
    held_since: date | None = None
    superseded_by: str | None = None
    trend: tuple[float | None, ...] = ()
    metric_name: str | None = None

    @property
    def alert_id(self) -> str:
        """The alert's identity, the same however often it is made."""
        made = self.transition
        return alert_id(made.rule, made.account_id, self.dimensions, self.opened_on)

    @property
    def dimensions(self) -> str:
        """What the account's alerts of the rule are told apart by, as the ledger has it."""
        return dimensions_of(self.transition.scope)


def alert_id(rule: str, account_id: str, dimensions: str, opened_on: date) -> str:
    """A hash of what makes an alert one: rule, account, dimensions and the day that opened it."""
    return digest([rule, account_id, dimensions, opened_on.isoformat()])[:32]


def moved(rows: pl.DataFrame) -> list[dict[str, Any]]:
    """The rows that did something to tell, by account, the severest rule first."""
    is_news = pl.col("effect").is_not_null() & (
        (pl.col("effect") != "suppressed") | (pl.col("is_news") & (pl.col("cause") != "storm"))
    )
    order = ["account_id", "rank", "rule", "dimensions"]
    return rows.filter(is_news).sort(order, descending=[False, True, False, False]).to_dicts()


def findings_of(
    rows: Iterable[dict[str, Any]],
    day: date,
    rules: dict[str, Rule],
    units: dict[str, str],
    accounts: dict[str, Account],
    trends: Mapping[tuple[str, str | None, str], list[float | None]],
) -> list[Finding]:
    """One finding per moved row (`moved`) of a day; trends are by metric, scope and account."""
    found = []
    for row in rows:
        rule = rules[row["rule"]]
        finding = _finding(row, day, rule, units, accounts[row["account_id"]])
        key = (rule.metric, finding.transition.scope, row["account_id"])
        trend = trends.get(key, []) if _is_told(row) else []
        found.append(replace(finding, trend=tuple(trend)))
    return found


def asks_for_trends(
    rows: Iterable[dict[str, Any]], rules: dict[str, Rule]
) -> dict[tuple[str, str | None], set[str]]:
    """The accounts whose trend is told, by metric and scope."""
    asked: dict[tuple[str, str | None], set[str]] = {}
    for row in rows:
        rule = rules[row["rule"]]
        if _is_told(row) and not rule.compares_words:
            key = (rule.metric, scope_of_dimensions(row["dimensions"]))
            asked.setdefault(key, set()).add(row["account_id"])
    return asked


def _is_told(row: dict[str, Any]) -> bool:
    return bool(row["effect"] == "opened")


def endings(
    ledger: sa.Connection, ended: dict[str, str], day: date, units: dict[str, str]
) -> list[Finding]:
    """The open alerts of rules that are judged no more.

    Args:
        ledger: the open transaction.
        ended: the rules, each with how it ended (`rule_disabled` or `rule_removed`).
        day: the data day on which they are resolved.
        units: the unit of each metric.
    """
    rows = ledger.execute(
        sa.select(alerts)
        .where(alerts.c.status != "resolved", alerts.c.rule.in_(sorted(ended)))
        .order_by(alerts.c.account_id, alerts.c.rule, alerts.c.dimensions)
    )
    return [_ending(dict(row), ended[row["rule"]], day, units) for row in rows.mappings()]


def waking(row: dict[str, Any], day: date, account: Account, units: dict[str, str]) -> Finding:
    """The end of an alert's snooze: it is as open as before."""
    reason = f"it was put off until {row['snoozed_until']} and is still open"
    return Finding(
        transition=Transition(
            account_id=row["account_id"],
            account_name=row["account_name"],
            rule=row["rule"],
            severity=row["severity"],
            transition="snooze_ended",
            cause="snooze_ended",
            day=day,
            value=row["last_value"],
            value_text=row["value_text"],
            threshold=row["threshold"],
            reason=reason,
            sentence=row["sentence"],
            scope=scope_of_dimensions(row["dimensions"]),
        ),
        rule_version=row["rule_version"],
        family=row["family"],
        metric=row["metric"],
        unit=units.get(row["metric"]),
        what_to_do="",
        account=account,
        opened_on=row["opened_on"],
        held_since=row["held_since"],
    )


def _finding(
    row: dict[str, Any], day: date, rule: Rule, units: dict[str, str], account: Account
) -> Finding:
    kind: TransitionKind = row["effect"]
    unit = unit_of(rule, units.get(rule.metric))
    scope = scope_of_dimensions(row["dimensions"])
    reason = _reason(row, rule, unit, scope)
    name = account.account_name or account.account_id
    return Finding(
        transition=Transition(
            account_id=account.account_id,
            account_name=account.account_name,
            rule=rule.rule,
            severity=rule.severity,
            transition=kind,
            cause=row["cause"],
            day=day,
            value=None if rule.compares_words else row["value"],
            value_text=row["said"],
            threshold=rule.threshold,
            reason=reason,
            sentence=sentence_of(rule, name, _value(row, rule), unit, scope)
            if kind == "opened"
            else _sentence(name, rule.rule, kind, reason),
            scope=scope,
        ),
        rule_version=rule.version,
        family=rule.family_name,
        metric=rule.metric,
        unit=unit,
        what_to_do=rule.what_to_do,
        account=account,
        opened_on=row["last_triggered_on"] if kind == "resolved" else day,
        held_since=row["held_since" if kind == "resolved" else "next_held_since"],
        superseded_by=row["outranked_by"] if row["cause"] == "superseded" else None,
    )


def _reason(row: dict[str, Any], rule: Rule, unit: str | None, scope: str | None) -> str:
    if row["cause"] == "superseded":
        return f"the severer {row['outranked_by']} is open"
    if row["cause"] == "out_of_scope" and row["dimensions"] not in rule.dimensions:
        return f"the rule is no longer about {spoken(scope) if scope else 'the account as a whole'}"
    if row["cause"] == "cooldown":
        return cooldown_reason(rule, row["last_triggered_on"])
    return reason_of(rule, row["cause"], _value(row, rule), unit, scope)


def _value(row: dict[str, Any], rule: Rule) -> Value:
    value: Value = row["said" if rule.compares_words else "value"]
    return value


def _ending(row: dict[str, Any], how: str, day: date, units: dict[str, str]) -> Finding:
    reason = "the rule was switched off" if how == "rule_disabled" else "the rule was removed"
    name = row["account_name"] or row["account_id"]
    return Finding(
        transition=Transition(
            account_id=row["account_id"],
            account_name=row["account_name"],
            rule=row["rule"],
            severity=row["severity"],
            transition="resolved",
            cause=how,
            day=day,
            value=None,
            threshold=row["threshold"],
            reason=reason,
            sentence=_sentence(name, row["rule"], "resolved", reason),
            scope=scope_of_dimensions(row["dimensions"]),
        ),
        rule_version=row["rule_version"],
        family=row["family"],
        metric=row["metric"],
        unit=units.get(row["metric"]),
        what_to_do="",
        account=Account(account_id=row["account_id"], account_name=row["account_name"]),
        opened_on=row["opened_on"],
        held_since=row["held_since"],
    )


def _sentence(account: str, rule: str, kind: TransitionKind, reason: str) -> str:
    return f"{account}: {rule} {'is over' if kind == 'resolved' else 'was held back'}; {reason}."
