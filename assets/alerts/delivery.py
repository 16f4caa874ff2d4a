"""Tells what the outbox holds: at least once, with an idempotency key, no receiver for another."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import sqlalchemy as sa

from assets.alerts.channels import Channels
from assets.alerts.ledger import write_transaction
from assets.alerts.ledger_tables import actions
from assets.alerts.telling import Envelope, Receivers

TRIES = 8
"""Failed deliveries after which an action is a dead letter."""

_FIRST_PAUSE = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(hours=6)

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """How many actions one delivery told, failed to tell, and gave up on."""

    sent: int
    failed: int
    dead: int


@dataclass(kw_only=True)
class _Target:
    """One target, its envelopes, and how many of them it has answered."""

    channel: str
    name: str
    envelopes: list[Envelope]
    answered: int = 0

    @property
    def waiting(self) -> Envelope | None:
        """The envelope that is on its way."""
        return self.envelopes[self.answered] if self.answered < len(self.envelopes) else None


Answers = SimpleQueue[tuple[_Target, Envelope | None, str | None]]


def deliver(
    engine: sa.Engine,
    outbox: Path | Receivers,
    *,
    now: datetime,
    sleep: Callable[[float], None] = time.sleep,
) -> Delivery:
    """Tells every pending action that is due, each target in a thread of its own.

    The receiver comes first and the record after it: killed in between, the action is told again
    under the same key. A receiver that fails is tried again later; the others don't wait for it,
    and one that takes too long is left alone until the next delivery.

    Args:
        engine: the ledger.
        outbox: what is known of receivers, or the folder of the `file` channel.
        now: the wall clock, which decides what is due.
        sleep: waits between the tries of one delivery.
    """
    receivers = outbox if isinstance(outbox, Receivers) else Receivers(outbox=outbox)
    with engine.connect() as ledger:
        due = {row["action_key"]: dict(row) for row in ledger.execute(_due(now)).mappings()}
    targets = list(_targets(due.values()))
    channels = Channels(receivers, now=now, sleep=sleep)
    totals = {"sent": 0, "failed": 0, "dead": 0}
    for envelope, error in _answers(targets, channels, receivers.seconds_per_target):
        outcomes = [_outcome(due[key], error, now) for key in envelope.action_keys]
        with write_transaction(engine) as ledger:
            _note(ledger, outcomes)
        for outcome in outcomes:
            totals["failed" if outcome["b_state"] == "pending" else str(outcome["b_state"])] += 1
    return Delivery(**totals)


def is_anything_due(engine: sa.Engine, now: datetime) -> bool:
    """Whether an action waits that may be told now: a first time, or after its pause."""
    with engine.connect() as ledger:
        return ledger.execute(_due(now).limit(1)).first() is not None


def _due(now: datetime) -> sa.Select[tuple[object, ...]]:
    is_due = sa.or_(actions.c.next_attempt_at.is_(None), actions.c.next_attempt_at <= now)
    return sa.select(actions).where(actions.c.state == "pending", is_due).order_by(actions.c.number)


def _targets(due: Iterable[Row]) -> Iterator[_Target]:
    """What is due by target; all mails go through one server."""

    def place(row: Row) -> tuple[str, str]:
        return row["channel"], "" if row["channel"] == "email" else row["target"]

    for (channel, name), rows in groupby(sorted(due, key=place), key=place):
        yield _Target(channel=channel, name=name, envelopes=list(_envelopes(rows)))


def _envelopes(rows: Iterable[Row]) -> Iterator[Envelope]:
    """One envelope per action, or per digest, in the order of their first actions."""
    digests: dict[str, list[Row]] = {}
    for row in rows:
        digests.setdefault(row["batch"] or row["action_key"], []).append(row)
    for key, told in digests.items():
        yield Envelope(
            key=key,
            target=told[0]["target"],
            payloads=[row["payload"] for row in told],
            action_keys=[row["action_key"] for row in told],
        )


def _answers(
    targets: list[_Target], channels: Channels, seconds: float
) -> Iterator[tuple[Envelope, str | None]]:
    """What became of each envelope, as the targets answer; each has so many seconds in all.

    A target that has not answered by then is left to its thread, which dies with the process: its
    envelope counts as failed, and the rest is as due as before.
    """
    answers: Answers = SimpleQueue()
    for target in targets:
        threading.Thread(target=_work, args=(target, channels, answers), daemon=True).start()
    running, ends_at = list(targets), time.monotonic() + seconds
    while running:
        try:
            target, envelope, error = answers.get(timeout=max(ends_at - time.monotonic(), 0))
        except Empty:
            yield from _unanswered(running, seconds)
            return
        if envelope is None:
            running.remove(target)
        else:
            target.answered += 1
            yield envelope, error


def _unanswered(targets: list[_Target], seconds: float) -> Iterator[tuple[Envelope, str | None]]:
    for target in targets:
        if target.waiting:
            yield target.waiting, f"no answer within {seconds:g} s ({target.channel})"


def _work(target: _Target, channels: Channels, answers: Answers) -> None:
    """Tells a target, in its own thread; at the end it says so with an answer to nothing."""
    done = 0
    try:
        for envelope, error in channels.tell(target.channel, target.name, target.envelopes):
            answers.put((target, envelope, error))
            done += 1
    except Exception as error:
        answers.put((target, target.envelopes[done], f"{type(error).__name__} ({target.channel})"))
    answers.put((target, None, None))


def _outcome(row: Row, error: str | None, now: datetime) -> dict[str, object]:
    """What became of one action."""
    attempts = row["attempts"] + 1
    state = "sent" if error is None else "dead" if attempts >= TRIES else "pending"
    return {
        "b_key": row["action_key"],
        "b_state": state,
        "b_attempts": attempts,
        "b_error": error,
        "b_sent_at": now if state == "sent" else None,
        "b_dead_at": now if state == "dead" else None,
        "b_next_at": now + _pause(row["batch"] or row["action_key"], attempts) if error else None,
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
            dead_at=sa.bindparam("b_dead_at"),
            next_attempt_at=sa.bindparam("b_next_at"),
        ),
        outcomes,
    )


def _pause(key: str, attempts: int) -> timedelta:
    """Doubles with each failure; the key spreads the messages, so that nothing is random.

    All of a digest wait equally long: a part of it under its key would be taken for the whole.
    """
    spread = 0.5 + int(key[:4], 16) / 0xFFFF
    doubled: timedelta = _FIRST_PAUSE * 2 ** (attempts - 1)
    return min(doubled, _LONGEST_PAUSE) * spread
