"""What people do with an alert: acknowledge, snooze and resolve it, each with who and why."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa

from assets.alerts import audit
from assets.alerts.ledger import write_transaction
from assets.alerts.ledger_tables import alert_events, alerts, evaluations, rule_states
from assets.alerts.workflows import close_with_alert

Act = Literal["acknowledged", "snoozed", "resolved"]


class ActionRefusedError(ValueError):
    """What a person asked for can't be done; the message says why and what can."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What somebody wants done with an alert.

    Attributes:
        act: What.
        alert_id: The alert, or the beginning of its id.
        who: Who asks.
        why: Why.
        until: Of a snooze, the data day on which the alert wakes up.
        at: When, by the wall clock.
    """

    act: Act
    alert_id: str
    who: str
    why: str
    until: date | None = None
    at: datetime


def take_action(engine: sa.Engine, asked: Asked, milestones: Collection[str] = ()) -> str:
    """Does what a person asks for, and says it in the audit log.

    An alert that a person resolved stays silent until its account has recovered once: it would open
    again on the next day otherwise. What it set off ends with it, on its first day, too; a
    milestone's goes on, since its alert would have been over on the next day anyway.

    Args:
        engine: the ledger.
        asked: what is to be done.
        milestones: the rules that tell an account's milestones.

    Returns:
        The alert's whole id.

    Raises:
        ActionRefusedError: there is no such alert, it is resolved, or the day is over.
    """
    with write_transaction(engine) as ledger:
        alert = find_alert(ledger, asked.alert_id)
        day = _last_day(ledger)
        _refuse(asked, alert, day)
        changes: dict[str, Any] = {"status": asked.act, "snoozed_until": asked.until}
        if asked.act == "resolved":
            changes |= {"resolved_on": day, "resolved_how": "by_hand", "resolved_at": asked.at}
            if alert["rule"] not in milestones:
                ends = day + timedelta(days=1)
                key = alert["alert_id"]
                close_with_alert(ledger, key, day=day, at=asked.at, begun_before=ends)
            _silence(ledger, alert)
        ledger.execute(
            sa.update(alerts).where(alerts.c.alert_id == alert["alert_id"]).values(**changes)
        )
        ledger.execute(sa.insert(alert_events).values(**_event(ledger, asked, alert, day)))
        audit.append(ledger, [_entry(asked, alert, day)], asked.at)
    return str(alert["alert_id"])


def find_alert(ledger: sa.Connection, beginning: str) -> dict[str, Any]:
    """The one alert whose id begins so.

    Raises:
        ActionRefusedError: there is none, or more than one.
    """
    found = ledger.execute(
        sa.select(alerts).where(alerts.c.alert_id.startswith(beginning, autoescape=True)).limit(2)
    ).mappings()
    rows = [dict(row) for row in found] if beginning else []
    if not rows:
        raise ActionRefusedError(f"no alert's id begins with '{beginning}'; see csw alerts list")
    if len(rows) > 1:
        raise ActionRefusedError(f"more than one alert's id begins with '{beginning}'; give more")
    return rows[0]


def _refuse(asked: Asked, alert: dict[str, Any], day: date) -> None:
    if alert["status"] == "resolved":
        raise ActionRefusedError(
            f"{alert['alert_id'][:8]} was resolved on {alert['resolved_on']}"
            f" ({alert['resolved_how']}); there is nothing left to do"
        )
    if asked.act == "snoozed" and (asked.until is None or asked.until <= day):
        raise ActionRefusedError(
            f"{asked.until} is over: the last day that was judged is {day}; give a later one"
        )
    if not (asked.who.strip() and asked.why.strip()):
        raise ActionRefusedError("say who (--by) and why (--why): both stand in the audit log")


def _last_day(ledger: sa.Connection) -> date:
    day = ledger.scalar(sa.select(sa.func.max(evaluations.c.to_day)))
    if not isinstance(day, date):
        raise ActionRefusedError("nothing was ever evaluated")
    return day


def _silence(ledger: sa.Connection, alert: dict[str, Any]) -> None:
    ledger.execute(
        sa.update(rule_states)
        .where(
            rule_states.c.rule == alert["rule"],
            rule_states.c.account_id == alert["account_id"],
            rule_states.c.dimensions == alert["dimensions"],
        )
        .values(phase="muted", held_days=0, held_since=None, over_days=0, suppressed_by=None)
    )


def _event(ledger: sa.Connection, asked: Asked, alert: dict[str, Any], day: date) -> dict[str, Any]:
    last = ledger.scalar(
        sa.select(sa.func.max(alert_events.c.ordinal)).where(
            alert_events.c.alert_id == alert["alert_id"]
        )
    )
    detail = {"cause": "by_hand", "reason": asked.why, "actor": asked.who}
    if asked.until:
        detail["snoozed_until"] = asked.until.isoformat()
    return {
        "alert_id": alert["alert_id"],
        "ordinal": (last or 0) + 1,
        "on_day": day,
        "transition": asked.act,
        "from_status": alert["status"],
        "to_status": asked.act,
        "value": alert["last_value"],
        "release_id": None,
        "detail": detail,
        "recorded_at": asked.at,
    }


def _entry(asked: Asked, alert: dict[str, Any], day: date) -> audit.Entry:
    return audit.Entry(
        actor=asked.who,
        action=asked.act,
        subject=alert["alert_id"],
        decision=asked.why,
        result=f"{alert['status']} to {asked.act}",
        inputs={
            "rule": alert["rule"],
            "account_id": alert["account_id"],
            "until": asked.until.isoformat() if asked.until else None,
        },
        rule_version=alert["rule_version"],
        on_day=day,
    )
