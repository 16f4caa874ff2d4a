"""Writes one day's findings into the ledger: alerts, their events, and what is to be told."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice

import sqlalchemy as sa

from assets.alerts import audit
from assets.alerts.findings import Finding, waking
from assets.alerts.ledger_rows import (
    Row,
    Standing,
    alert_row,
    audit_entry,
    event_row,
    held_entry,
    held_row,
    suppression_row,
)
from assets.alerts.ledger_tables import alert_events, alerts, held_rules, suppressions
from assets.alerts.outbox import Message, Outbox
from assets.alerts.payloads import payload_of, payload_of_held
from assets.alerts.published import Release
from assets.alerts.receivers import Route
from assets.alerts.release_files import ReleaseReader
from assets.alerts.rules import RuleSet
from assets.alerts.transitions import MILESTONE, HeldRule
from assets.alerts.workflows import begin_steps, close_with_alerts, take_due_steps

# A superseded alert's end is told by its successor; a milestone has none.
_NOT_TOLD = ("superseded", MILESTONE)
_CHUNK = 500  # under every database's limit of parameters in one statement


@dataclass(frozen=True, kw_only=True)
class Recorder:
    """Where findings are recorded, and of which release they are: one transaction."""

    ledger: sa.Connection
    release: Release
    rules: RuleSet
    recorded_at: datetime

    def record(self, findings: list[Finding]) -> None:
        """Records the findings of one day, in their order."""
        opened = [found for found in findings if found.transition.transition == "opened"]
        resolved = [found for found in findings if found.transition.transition == "resolved"]
        held_back = [found for found in findings if found.transition.transition == "suppressed"]
        told = [found for found in findings if found.transition.transition != "suppressed"]
        standing = self._standing([found.alert_id for found in resolved])
        self._resolve(resolved)
        self._insert(alerts, (alert_row(found, self.release) for found in opened))
        self._insert_events(told, standing)
        self._insert(suppressions, (suppression_row(found, self.release) for found in held_back))
        self._outbox.put(self._messages(told, standing))
        begin_steps(self.ledger, told, self.rules.workflows)
        over = [found for found in resolved if found.transition.cause != MILESTONE]
        close_with_alerts(self.ledger, over, at=self.release.as_of)
        audit.append(self.ledger, map(audit_entry, told), self.recorded_at)

    def finish(self, day: date, reader: ReleaseReader) -> None:
        """Ends a day: snoozed alerts whose time is over wake up, and due steps are taken."""
        self._wake(day, reader)
        take_due_steps(self._outbox, self.rules.workflows, reader, day)

    def hold(self, held: list[HeldRule]) -> None:
        """Notes the rules that were held back whole, and reports them to their owners."""
        self._insert(held_rules, (held_row(found, self.release) for found in held))
        new = [found for found in held if found.is_new]
        self._outbox.put(
            Message(
                kind="held",
                subject=f"held {found.rule} {found.day}",
                ordinal=1,
                route=route,
                payload=payload_of_held(found, self.release),
                day=found.day,
            )
            for found in new
            for route in self.rules.routes_of(found.owner)
        )
        audit.append(self.ledger, map(held_entry, new), self.recorded_at)

    def was_held(self, rule: str, day: date) -> bool:
        """Whether a rule was held back on a day."""
        query = sa.select(held_rules.c.rule).where(
            held_rules.c.rule == rule, held_rules.c.on_day == day
        )
        return self.ledger.execute(query).first() is not None

    def refresh(self, seen: Iterable[tuple[str, float, date]]) -> None:
        """Notes the last value of alerts that stay open: (alert id, value, day judged)."""
        rows = [{"b_alert": key, "b_value": value, "b_day": day} for key, value, day in seen]
        if rows:
            self.ledger.execute(
                sa.update(alerts)
                .where(alerts.c.alert_id == sa.bindparam("b_alert"))
                .values(last_value=sa.bindparam("b_value"), last_judged_on=sa.bindparam("b_day")),
                rows,
            )

    def _insert(self, table: sa.Table, rows: Iterable[Row]) -> None:
        listed = list(rows)
        if listed:
            self.ledger.execute(sa.insert(table), listed)

    def _insert_events(self, told: list[Finding], standing: Standing) -> None:
        rows = (event_row(found, self.release, standing, self.recorded_at) for found in told)
        self._insert(alert_events, rows)

    def _standing(self, alert_ids: list[str]) -> Standing:
        """Status and last event of alerts, before the day changes them."""
        ordinal = sa.func.max(alert_events.c.ordinal).label("last")
        query = (
            sa.select(alerts.c.alert_id, alerts.c.status, ordinal)
            .join(alert_events, alert_events.c.alert_id == alerts.c.alert_id)
            .group_by(alerts.c.alert_id, alerts.c.status)
        )
        return {
            row.alert_id: (row.status, row.last)
            for chunk in _chunks(alert_ids)
            for row in self.ledger.execute(query.where(alerts.c.alert_id.in_(chunk)))
        }

    def _resolve(self, resolved: list[Finding]) -> None:
        self.refresh(
            (found.alert_id, found.transition.value, found.transition.day)
            for found in resolved
            if found.transition.value is not None
        )
        rows = [
            {
                "b_alert": found.alert_id,
                "b_day": found.transition.day,
                "b_how": found.transition.cause,
                "b_at": self.release.as_of,
            }
            for found in resolved
        ]
        if rows:
            self.ledger.execute(
                sa.update(alerts)
                .where(alerts.c.alert_id == sa.bindparam("b_alert"))
                .values(
                    status="resolved",
                    resolved_on=sa.bindparam("b_day"),
                    resolved_how=sa.bindparam("b_how"),
                    resolved_at=sa.bindparam("b_at"),
                ),
                rows,
            )

    @property
    def _outbox(self) -> Outbox:
        return Outbox(
            ledger=self.ledger,
            as_of=self.release.as_of,
            recorded_at=self.recorded_at,
            release_id=self.release.id,
        )

    def _messages(self, told: list[Finding], standing: Standing) -> Iterator[Message]:
        """One message per finding and route; a superseded alert's end is told by its successor."""
        for found in told:
            if found.transition.cause in _NOT_TOLD:
                continue
            for route in self.rules.routes_of(found.transition.rule):
                if found.transition.transition in route.sends:
                    yield self._message(found, route, standing)

    def _message(self, found: Finding, route: Route, standing: Standing) -> Message:
        return Message(
            kind="alert",
            subject=found.alert_id,
            ordinal=standing.get(found.alert_id, ("", 0))[1] + 1,
            route=route,
            payload=payload_of(found, self.release),
            day=found.transition.day,
            alert_id=found.alert_id,
            account=found.account,
        )

    def _wake(self, day: date, reader: ReleaseReader) -> None:
        """Opens the snoozed alerts whose day has come, and tells of them again."""
        query = sa.select(alerts).where(alerts.c.status == "snoozed", alerts.c.snoozed_until <= day)
        rows = [
            dict(row) for row in self.ledger.execute(query.order_by(alerts.c.alert_id)).mappings()
        ]
        if not rows:
            return
        accounts = reader.accounts((row["account_id"] for row in rows), day)
        units = reader.units()
        woken = [waking(row, day, accounts[row["account_id"]], units) for row in rows]
        standing = self._standing([found.alert_id for found in woken])
        self.ledger.execute(
            sa.update(alerts)
            .where(alerts.c.alert_id.in_([found.alert_id for found in woken]))
            .values(status="open", snoozed_until=None)
        )
        self._insert_events(woken, standing)
        self._outbox.put(
            self._message(found, route, standing)
            for found in woken
            for route in self.rules.routes_of(found.transition.rule)
            if "opened" in route.sends
        )
        audit.append(self.ledger, map(audit_entry, woken), self.recorded_at)


def _chunks(keys: list[str]) -> Iterator[list[str]]:
    remaining = iter(keys)
    while chunk := list(islice(remaining, _CHUNK)):
        yield chunk
