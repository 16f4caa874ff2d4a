"""Tells what the outbox holds: at least once, with an idempotency key, one receiver at a time."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path

import sqlalchemy as sa
import tenacity

from assets.alerts.file_channel import append_payloads
from assets.alerts.ledger import actions, write_transaction

TRIES = 8
"""Failed deliveries after which an action is a dead letter."""

_TRIES_AT_ONCE = 3
_FIRST_PAUSE = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(hours=6)


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """How many actions one delivery told, failed to tell, and gave up on."""

    sent: int
    failed: int
    dead: int


def deliver(
    engine: sa.Engine,
    outbox: Path,
    *,
    now: datetime,
    sleep: Callable[[float], None] = time.sleep,
) -> Delivery:
    """Tells every pending action that is due.

    The receiver comes first and the record after it: killed in between, the action is told again,
    and its file knows the key. A receiver that fails is tried again later; the others don't wait.

    Args:
        engine: the ledger.
        outbox: the folder of the `file` channel; made if it is not there.
        now: the wall clock, which decides what is due.
        sleep: waits between the tries of one delivery.
    """
    with engine.connect() as ledger:
        due = ledger.execute(_due(now)).all()
    totals = {"sent": 0, "failed": 0, "dead": 0}
    for target, group in groupby(due, key=lambda row: row.target):
        rows = list(group)
        error = _tell(outbox / target, [row.payload for row in rows], sleep)
        outcomes = [_outcome(row, error, now) for row in rows]
        with write_transaction(engine) as ledger:
            _note(ledger, outcomes)
        for outcome in outcomes:
            totals["failed" if outcome["b_state"] == "pending" else str(outcome["b_state"])] += 1
    return Delivery(**totals)


def _due(now: datetime) -> sa.Select[tuple[object, ...]]:
    is_due = sa.or_(actions.c.next_attempt_at.is_(None), actions.c.next_attempt_at <= now)
    return (
        sa.select(actions)
        .where(actions.c.state == "pending", actions.c.channel == "file", is_due)
        .order_by(actions.c.target, actions.c.number)
    )


def _tell(
    path: Path, payloads: list[dict[str, object]], sleep: Callable[[float], None]
) -> str | None:
    """Tells one receiver; returns what went wrong, if it did after some tries."""
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(OSError),
        stop=tenacity.stop_after_attempt(_TRIES_AT_ONCE),
        wait=tenacity.wait_random_exponential(multiplier=0.2, max=2),
        sleep=sleep,
        reraise=True,
    )
    try:
        retrying(_append, path, payloads)
    except OSError as error:
        return f"{type(error).__name__}: {error.strerror or 'no reason given'} ({path.name})"
    return None


def _append(path: Path, payloads: list[dict[str, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    append_payloads(path, payloads)


def _outcome(row: sa.Row, error: str | None, now: datetime) -> dict[str, object]:
    """What became of one action."""
    attempts = row.attempts + 1
    return {
        "b_key": row.action_key,
        "b_state": "sent" if error is None else "dead" if attempts >= TRIES else "pending",
        "b_attempts": attempts,
        "b_error": error,
        "b_sent_at": now if error is None else None,
        "b_next_at": now + _pause(row.action_key, attempts) if error else None,
    }


def _note(ledger: sa.Connection, outcomes: list[dict[str, object]]) -> None:
    ledger.execute(
        sa.update(actions)
        .where(actions.c.action_key == sa.bindparam("b_key"), actions.c.state == "pending")
        .values(
            state=sa.bindparam("b_state"),
            attempts=sa.bindparam("b_attempts"),
            last_error=sa.bindparam("b_error"),
            sent_at=sa.bindparam("b_sent_at"),
            next_attempt_at=sa.bindparam("b_next_at"),
        ),
        outcomes,
    )


def _pause(action_key: str, attempts: int) -> timedelta:
    """Doubles with each failure; the key spreads the actions, so that nothing is random."""
    spread = 0.5 + int(action_key[:4], 16) / 0xFFFF
    doubled: timedelta = _FIRST_PAUSE * 2 ** (attempts - 1)
    return min(doubled, _LONGEST_PAUSE) * spread
