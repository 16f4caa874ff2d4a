"""Writes one day's findings into the ledger: alerts, their events, and what is to be told."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice

import sqlalchemy as sa

from assets.alerts.findings import Finding
from assets.alerts.ledger import NO_DIMENSIONS, actions, alert_events, alerts, suppressions
from assets.alerts.release_files import Release
from assets.alerts.rules import Route, RuleSet, digest

Row = dict[str, object]
Standing = dict[str, tuple[str, int]]

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
        self._insert(alerts, (self._alert(found) for found in opened))
        self._insert(alert_events, (self._event(found, standing) for found in told))
        self._insert(suppressions, (self._suppression(found) for found in held_back))
        self._insert(actions, self._actions(told, standing))

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

    def _alert(self, found: Finding) -> Row:
        made = found.transition
        return {
            "alert_id": found.alert_id,
            "rule": made.rule,
            "rule_version": found.rule_version,
            "family": found.family,
            "severity": made.severity,
            "account_id": made.account_id,
            "account_name": made.account_name,
            "dimensions": NO_DIMENSIONS,
            "status": "open",
            "sentence": made.sentence,
            "metric": found.metric,
            "held_since": found.held_since,
            "opened_on": made.day,
            "opened_at": self.release.as_of,
            "value": made.value,
            "threshold": made.threshold,
            "last_value": made.value,
            "last_judged_on": made.day,
            "release_id": self.release.id,
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

    def _event(self, found: Finding, standing: Standing) -> Row:
        made, is_opening = found.transition, found.transition.transition == "opened"
        status, last = (None, 0) if is_opening else standing[found.alert_id]
        detail = {"cause": made.cause, "reason": made.reason}
        if found.superseded_by:
            detail["by"] = found.superseded_by
        return {
            "alert_id": found.alert_id,
            "ordinal": last + 1,
            "on_day": made.day,
            "transition": made.transition,
            "from_status": status,
            "to_status": "open" if is_opening else "resolved",
            "value": made.value,
            "release_id": self.release.id,
            "detail": detail,
            "recorded_at": self.recorded_at,
        }

    def _suppression(self, found: Finding) -> Row:
        made = found.transition
        return {
            "rule": made.rule,
            "account_id": made.account_id,
            "dimensions": NO_DIMENSIONS,
            "on_day": made.day,
            "cause": made.cause,
            "reason": made.reason,
            "value": made.value,
            "release_id": self.release.id,
        }

    def _actions(self, told: list[Finding], standing: Standing) -> Iterator[Row]:
        """One action per finding and route; a superseded alert's end is told by its successor."""
        number = self.ledger.execute(sa.select(sa.func.max(actions.c.number))).scalar() or 0
        for found in told:
            ordinal = standing.get(found.alert_id, ("", 0))[1] + 1
            for route in self.rules.routes_of(found.transition.rule):
                is_wanted = found.transition.transition in route.sends
                if is_wanted and found.transition.cause != "superseded":
                    number += 1
                    yield self._action(found, route, ordinal, number)

    def _action(self, found: Finding, route: Route, ordinal: int, number: int) -> Row:
        key = digest([found.alert_id, ordinal, route.position, route.channel, route.target])[:32]
        return {
            "action_key": key,
            "alert_id": found.alert_id,
            "ordinal": ordinal,
            "number": number,
            "route": f"{route.rule}/{route.position}",
            "channel": route.channel,
            "target": route.target,
            "payload": {"idempotency_key": key, **self._payload(found)},
            "release_id": self.release.id,
            "state": "pending",
            "attempts": 0,
            "recorded_at": self.recorded_at,
        }

    def _payload(self, found: Finding) -> Row:
        """What a receiver is told. It holds nothing secret and no e-mail address."""
        made = found.transition
        return {
            "transition": made.transition,
            "severity": made.severity,
            "sentence": made.sentence,
            "reason": made.reason,
            "what_to_do": found.what_to_do,
            "account_id": made.account_id,
            "account_name": made.account_name,
            "csm_id": found.account.csm_id,
            "csm_name": found.account.csm_name,
            "rule": made.rule,
            "family": found.family,
            "alert_id": found.alert_id,
            "metric": found.metric,
            "unit": found.unit,
            "value": made.value,
            "threshold": made.threshold,
            "day": made.day.isoformat(),
            "opened_on": found.opened_on.isoformat(),
            "held_since": found.held_since.isoformat() if found.held_since else None,
            "release_id": self.release.id,
            "as_of": self.release.as_of.isoformat(),
        }


def _chunks(keys: list[str]) -> Iterator[list[str]]:
    remaining = iter(keys)
    while chunk := list(islice(remaining, _CHUNK)):
        yield chunk
