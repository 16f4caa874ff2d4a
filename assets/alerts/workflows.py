"""Takes the steps of workflows: what an alert sets off, now and some days later."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from assets.alerts import audit
from assets.alerts.accounts import Account
from assets.alerts.digests import digest
from assets.alerts.filters import WorkflowCondition
from assets.alerts.findings import Finding
from assets.alerts.ledger_tables import alerts
from assets.alerts.outbox import Message, Outbox
from assets.alerts.release_files import ReleaseReader
from assets.alerts.scopes import name_of, scope_of_dimensions
from assets.alerts.transitions import MILESTONE
from assets.alerts.workflow_rules import Workflow, WorkflowStep
from assets.alerts.workflow_tables import alert_tasks, workflow_steps

_NO_TRIGGER = ("superseded", MILESTONE)


def begin_steps(
    ledger: sa.Connection, found: Iterable[Finding], workflows: Iterable[Workflow]
) -> None:
    """Notes the steps that these transitions set off, each with the day it falls due."""
    rows = [
        {
            "step_key": digest([workflow.workflow, step.position, finding.alert_id])[:32],
            "workflow": workflow.workflow,
            "workflow_version": workflow.version,
            "position": step.position,
            "alert_id": finding.alert_id,
            "account_id": finding.transition.account_id,
            "begun_on": finding.transition.day,
            "due_on": finding.transition.day + timedelta(days=step.offset_days),
            "state": "pending",
        }
        for finding in found
        for workflow in workflows
        if _is_set_off(workflow, finding)
        for step in workflow.steps
    ]
    if rows:
        ledger.execute(sa.insert(workflow_steps), rows)


def close_with_alerts(ledger: sa.Connection, resolved: list[Finding], *, at: datetime) -> None:
    """Closes what ends with an alert: tasks that say so, and steps that are not due yet."""
    for found in resolved:
        day = found.transition.day
        close_with_alert(ledger, found.alert_id, day=day, at=at, begun_before=day)


def close_with_alert(
    ledger: sa.Connection, alert_id: str, *, day: date, at: datetime, begun_before: date
) -> None:
    """Closes what ends with one alert; what its end has set off today stays."""
    ledger.execute(
        sa.update(alert_tasks)
        .where(
            alert_tasks.c.alert_id == alert_id,
            alert_tasks.c.closes_with_alert,
            alert_tasks.c.done_on.is_(None),
            alert_tasks.c.created_on < begun_before,
        )
        .values(done_on=day, done_at=at, closed_how="alert_resolved")
    )
    ledger.execute(
        sa.update(workflow_steps)
        .where(
            workflow_steps.c.alert_id == alert_id,
            workflow_steps.c.state == "pending",
            workflow_steps.c.begun_on < begun_before,
        )
        .values(state="cancelled", done_on=day)
    )


def take_due_steps(
    outbox: Outbox, workflows: Iterable[Workflow], reader: ReleaseReader, day: date
) -> None:
    """Takes the steps that are due on a day, in the order of workflow, alert and position."""
    rows = _due(outbox.ledger, day)
    if not rows:
        return
    steps = {
        (workflow.workflow, step.position): step
        for workflow in workflows
        if workflow.enabled
        for step in workflow.steps
    }
    accounts = reader.accounts((row["account_id"] for row in rows), day)
    entries = []
    for row in rows:
        step = steps.get((row["workflow"], row["position"]))
        if step:
            _take(outbox, step, row, accounts[row["account_id"]], day)
        entries.append(_entry(row, step, day))
        outbox.ledger.execute(
            sa.update(workflow_steps)
            .where(workflow_steps.c.step_key == row["step_key"])
            .values(state="done" if step else "cancelled", done_on=day)
        )
    audit.append(outbox.ledger, entries, outbox.recorded_at)


def _is_set_off(workflow: Workflow, finding: Finding) -> bool:
    made = finding.transition
    is_asked = (workflow.rule, workflow.trigger) == (made.rule, made.transition)
    if not (workflow.enabled and is_asked) or made.cause in _NO_TRIGGER:
        return False
    return all(_holds(condition, finding.account) for condition in workflow.conditions)


def _holds(condition: WorkflowCondition, account: Account) -> bool:
    """As in a rule's filters, a missing attribute makes every condition false."""
    value = account.attributes.get(condition.attribute)
    if value is None:
        return False
    return (value in condition.values) == (condition.operator in ("is", "in"))


def _due(ledger: sa.Connection, day: date) -> list[dict[str, Any]]:
    told = [
        alerts.c[name]
        for name in ("rule", "rule_version", "severity", "sentence", "opened_on", "dimensions")
    ]
    query = (
        sa.select(workflow_steps, *told)
        .join(alerts, alerts.c.alert_id == workflow_steps.c.alert_id)
        .where(workflow_steps.c.state == "pending", workflow_steps.c.due_on <= day)
        .order_by(workflow_steps.c.workflow, workflow_steps.c.alert_id, workflow_steps.c.position)
    )
    return [dict(row) for row in ledger.execute(query).mappings()]


def _take(
    outbox: Outbox, step: WorkflowStep, row: dict[str, Any], account: Account, day: date
) -> None:
    scope = scope_of_dimensions(row["dimensions"])
    name = account.account_name or account.account_id
    title = step.title.replace("{account}", name).replace("{scope}", name_of(scope or ""))
    if step.action == "assign_task":
        _assign(outbox, step, row, account, title, day)
        return
    payload = {
        "transition": step.action,
        "workflow": step.workflow,
        "title": title,
        "severity": row["severity"],
        "sentence": row["sentence"],
        "what_to_do": title,
        "account_id": account.account_id,
        "account_name": account.account_name,
        "csm_id": account.csm_id,
        "csm_name": account.csm_name,
        "rule": row["rule"],
        "scope": scope,
        "alert_id": row["alert_id"],
        "day": day.isoformat(),
        "opened_on": row["opened_on"].isoformat(),
        "release_id": outbox.release_id,
        "as_of": outbox.as_of.isoformat(),
    }
    message = Message(
        kind="workflow",
        subject=row["step_key"],
        ordinal=1,
        route=step.route,
        payload=payload,
        day=day,
        alert_id=row["alert_id"],
        account=account,
    )
    outbox.put([message])


def _assign(
    outbox: Outbox,
    step: WorkflowStep,
    row: dict[str, Any],
    account: Account,
    title: str,
    day: date,
) -> None:
    person = account.team.get(step.role) if step.role else None
    outbox.ledger.execute(
        sa.insert(alert_tasks).values(
            task_id=row["step_key"],
            alert_id=row["alert_id"],
            workflow=step.workflow,
            account_id=account.account_id,
            account_name=account.account_name,
            title=title,
            assignee_role=step.role,
            assignee_id=person.team_member_id if person else None,
            created_on=day,
            created_at=outbox.as_of,
            due_on=day + timedelta(days=step.due_in_days),
            closes_with_alert=step.closes_with_alert,
            release_id=outbox.release_id,
        )
    )


def _entry(row: dict[str, Any], step: WorkflowStep | None, day: date) -> audit.Entry:
    return audit.Entry(
        actor=f"workflow {row['workflow']}",
        action=step.action if step else "cancelled",
        subject=row["alert_id"],
        decision=f"step {row['position']} is due"
        if step
        else f"step {row['position']} is no longer one of the workflow's",
        result=f"{step.channel}:{step.role or step.channel}" if step else "nothing was done",
        inputs={"account_id": row["account_id"], "begun_on": row["begun_on"].isoformat()},
        rule_version=row["workflow_version"],
        on_day=day,
    )
