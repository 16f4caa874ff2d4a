"""Puts what is to be told into the outbox: for which receiver, under which key."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from assets.alerts.accounts import Account
from assets.alerts.digests import digest
from assets.alerts.ledger_tables import actions, missing_owners
from assets.alerts.receivers import Route

Payload = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Message:
    """Something to be told through one route.

    Attributes:
        kind: `alert`, `held`, `workflow` or `ops`.
        subject: What it is about; with the ordinal and the route it makes the idempotency key.
        ordinal: Which of the subject's transitions it tells.
        route: Where it is told.
        payload: What is told: nothing secret, and no e-mail address.
        day: The data day.
        alert_id: The alert, if it is about one.
        account: The account, if it is about one; its team has the roles.
    """

    kind: str
    subject: str
    ordinal: int
    route: Route
    payload: Payload
    day: date
    alert_id: str | None = None
    account: Account | None = None


@dataclass(frozen=True, kw_only=True)
class Outbox:
    """The outbox in one transaction.

    Attributes:
        ledger: The open transaction.
        as_of: What is told is dated so.
        recorded_at: The wall clock.
        release_id: The release that decided it; none where there is no release that could.
    """

    ledger: sa.Connection
    as_of: datetime
    recorded_at: datetime
    release_id: str | None = None

    def put(self, messages: Iterable[Message]) -> int:
        """Adds messages in their order; says how many."""
        last = self.ledger.execute(sa.select(sa.func.max(actions.c.number))).scalar() or 0
        rows: list[Payload] = []
        missing: dict[tuple[Any, ...], Payload] = {}
        for number, message in enumerate(messages, last + 1):
            row = self._row(message, number)
            rows.append(row)
            if message.route.role and row["recipient"] is None and message.account:
                owner = self._missing(message, message.account, row)
                missing.setdefault(tuple(owner[name] for name in _OWNER_KEY), owner)
        if rows:
            self.ledger.execute(sa.insert(actions), rows)
        self._note_missing(missing)
        return len(rows)

    @property
    def _occasion(self) -> str:
        """What a digest sums up: all that a release tells, or what is told at one time."""
        return self.release_id or self.recorded_at.isoformat()

    def _row(self, message: Message, number: int) -> Payload:
        route = message.route
        channel, target, recipient = _receiver(message)
        parts = [message.subject, message.ordinal, route.position, route.channel, route.target]
        key = digest(parts)[:32]
        batch = digest([self._occasion, channel, target])[:32] if route.is_digest else None
        return {
            "action_key": key,
            "kind": message.kind,
            "alert_id": message.alert_id,
            "ordinal": message.ordinal,
            "number": number,
            "route": f"{route.rule}/{route.position}",
            "channel": channel,
            "target": target,
            "recipient": recipient,
            "batch": batch,
            "payload": {"idempotency_key": key, "kind": message.kind, **message.payload},
            "release_id": self.release_id,
            "state": "pending",
            "attempts": 0,
            "recorded_at": self.recorded_at,
        }

    def _missing(self, message: Message, account: Account, row: Payload) -> Payload:
        return {
            "account_id": account.account_id,
            "role": message.route.role,
            "on_day": message.day,
            "account_name": account.account_name,
            "route": row["route"],
            "told_instead": f"{row['channel']}:{row['target']}",
            "release_id": self.release_id,
        }

    def _note_missing(self, missing: dict[tuple[Any, ...], Payload]) -> None:
        """Notes who was looked for and not found, once per account, role and day."""
        keys = [missing_owners.c[name] for name in _OWNER_KEY]
        days = {owner["on_day"] for owner in missing.values()}
        known = set()
        for row in self.ledger.execute(sa.select(*keys).where(keys[-1].in_(sorted(days)))):
            known.add(tuple(row))
        new = [owner for key, owner in missing.items() if key not in known]
        if new:
            self.ledger.execute(sa.insert(missing_owners), new)


_OWNER_KEY = ("account_id", "role", "on_day")


def _receiver(message: Message) -> tuple[str, str, str | None]:
    """Channel, target and recipient: a role's person as of the firing, else the fallback."""
    route = message.route
    if route.role is None:
        return route.channel, route.target, None
    person = message.account.team.get(route.role) if message.account else None
    if person and person.email:
        return "email", person.email, person.team_member_id
    fallback = route.fallback_receiver
    if fallback is None:  # validation has refused it
        raise ValueError(f"the route {route.rule}/{route.position} has no fallback")
    return fallback.channel, fallback.target, None
