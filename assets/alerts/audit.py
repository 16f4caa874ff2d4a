"""The audit log: who or what decided what, each row with the hash of the one before it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from assets.alerts.digests import digest
from assets.alerts.workflow_tables import workflow_audit_log as log

FIRST = "0" * 64


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One decision.

    Attributes:
        actor: Who or what: a person's name, `evaluation`, `workflow <name>`.
        action: What was done.
        subject: An alert, a rule, a task.
        decision: Why.
        result: What came of it.
        inputs: What it was decided on.
        rule_version: The wording in force.
        on_day: The data day.
    """

    actor: str
    action: str
    subject: str
    decision: str
    result: str
    inputs: dict[str, Any] = field(default_factory=dict)
    rule_version: str | None = None
    on_day: date | None = None


def append(ledger: sa.Connection, entries: Iterable[Entry], recorded_at: datetime) -> None:
    """Appends entries to the chain, in the caller's write transaction."""
    last = ledger.execute(
        sa.select(log.c.number, log.c.hash).order_by(log.c.number.desc()).limit(1)
    ).one_or_none()
    number, previous = (last.number, last.hash) if last else (0, FIRST)
    rows = []
    for entry in entries:
        number += 1
        row = {"number": number, **asdict(entry), "recorded_at": recorded_at}
        row |= {"previous_hash": previous, "hash": _hash(row, previous)}
        previous = row["hash"]
        rows.append(row)
    if rows:
        ledger.execute(sa.insert(log), rows)


def verify(ledger: sa.Connection) -> tuple[int, int | None]:
    """Follows the chain.

    Returns:
        How many rows there are, and the number of the first that was changed, or that follows one
        that is gone; None where the chain is whole. Rows cut off at the end leave a whole chain.
    """
    previous, count = FIRST, 0
    for row in ledger.execute(sa.select(log).order_by(log.c.number)).mappings():
        count += 1
        is_next = row["number"] == count and row["previous_hash"] == previous
        if not is_next or row["hash"] != _hash(dict(row), previous):
            return count, row["number"]
        previous = row["hash"]
    return count, None


def _hash(row: dict[str, Any], previous: str) -> str:
    parts = {name: value for name, value in row.items() if name not in ("hash", "previous_hash")}
    parts["recorded_at"] = row["recorded_at"].timestamp()
    parts["on_day"] = row["on_day"].isoformat() if row["on_day"] else None
    return digest([previous, parts])
