"""When a subscription pays, is in trial or counts nothing, in plain Python, for any policy.

Source: the project's spec 20 ("Counts", "Policies") and the decisions 1 and 2 of its MRR core.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.recompute.policies import STANDARD, Policy

Row = Mapping[str, Any]

COUNTS_NOTHING = {"paused", "unpaid", "incomplete", "incomplete_expired"}
NOT_COLLECTED = COUNTS_NOTHING - {"paused"}
CANCELLED = "cancelled"


@dataclass(frozen=True, kw_only=True)
class Span:
    """A time in one phase (paid or trial); `end` is exclusive and None while it goes on."""

    phase: str
    start: datetime
    end: datetime | None


@dataclass(frozen=True, kw_only=True)
class Told:
    """A subscription with the words of its history, as of an instant."""

    row: Row
    words: tuple[tuple[datetime, str], ...]
    as_of: datetime

    @property
    def word(self) -> str:
        """The row's own word; one that tells of an end goes back with an end still to come."""
        end = self.row.get("ended_at") or self.row.get("cancelled_at")
        word = _plain(self.row.get("status"))
        return "active" if word == CANCELLED and end is not None and end >= self.as_of else word

    @property
    def is_cancelled(self) -> bool:
        """By its own word or by the last one of its history."""
        return self.word == CANCELLED or bool(self.words and self.words[-1][1] == CANCELLED)

    @property
    def cancelled_at(self) -> datetime | None:
        """When somebody cancelled it; the end that this brings may lie later."""
        at = self.happened("cancelled_at")
        if at is None and self.words and self.words[-1][1] == CANCELLED:
            return self.words[-1][0]
        return at

    def happened(self, column: str) -> datetime | None:
        """An instant of the row, unless it is still to come."""
        at: datetime | None = self.row.get(column)
        return None if at is None or at >= self.as_of else at


def told(row: Row, changes: Sequence[Row], as_of: datetime) -> Told:
    """The subscription and those rows of `subscription_changes` that are its own and past.

    A word that is repeated counts since it was first said.
    """
    own = [c for c in changes if c["subscription_id"] == row["subscription_id"]]
    words: list[tuple[datetime, str]] = []
    for change in sorted(own, key=lambda c: c["changed_at"]):
        word = _plain(change["status"])
        if change["changed_at"] < as_of and not (words and words[-1][1] == word):
            words.append((change["changed_at"], word))
    return Told(row=row, words=tuple(words), as_of=as_of)


def _plain(word: str | None) -> str:
    return (word or "active").lower().replace("canceled", CANCELLED)


def end_of(subscription: Told, churn_moment: str) -> datetime | None:
    """Where the paid time ends (exclusive); what has happened goes before what is planned."""
    planned: datetime | None = subscription.row.get("cancel_at")
    cancelled = subscription.cancelled_at
    end = subscription.happened("ended_at") or planned
    if end is None and subscription.is_cancelled:
        end = subscription.row.get("current_period_end_at") or cancelled
    if churn_moment == "cancellation" and planned is None:
        return earlier(end, cancelled)
    if churn_moment == "scheduled":
        return earlier(end, cancelled)
    return end


def spans(subscription: Told, policy: Policy = STANDARD) -> list[Span]:
    """The paid time and the trial of a subscription, in order; neighbours of a phase are one."""
    start: datetime = subscription.row["started_at"]
    end = end_of(subscription, policy.churn_moment)
    found: list[Span] = []
    for piece in _pieces(subscription, policy):
        phase = "paid" if policy.trials == "included" else piece.phase
        span = Span(phase=phase, start=max(piece.start, start), end=earlier(piece.end, end))
        if span.end is not None and span.start >= span.end:
            continue
        if found and found[-1].phase == phase and found[-1].end == span.start:
            span = Span(phase=phase, start=found.pop().start, end=span.end)
        found.append(span)
    return found


def _pieces(subscription: Told, policy: Policy) -> Iterator[Span]:
    """What each word makes of its time, before the subscription's end is put to it."""
    if not subscription.words:
        yield from _of_row(subscription)
        return
    words = list(subscription.words)
    first = words[0][0]
    if words[-1][1] == CANCELLED:
        words.pop()
    yield from _in_the_beginning(subscription.row, first if words else None)
    ends = [at for at, _ in words[1:]]
    for (at, word), end in zip(words, [*ends, None], strict=False):
        yield from _of_word(word, at, end, policy.past_due_days)


def _of_row(subscription: Told) -> Iterator[Span]:
    """Without a history, today's word has always held; so has one of an end without a date."""
    if subscription.word == "trialing":
        yield Span(phase="trial", start=subscription.row["started_at"], end=None)
    elif subscription.word == CANCELLED and end_of(subscription, "period_end") is None:
        return
    elif subscription.word not in COUNTS_NOTHING:
        yield from _in_the_beginning(subscription.row, None)


def _in_the_beginning(row: Row, until: datetime | None) -> Iterator[Span]:
    """Until the first word: the trial to its end, then paid time."""
    start: datetime = row["started_at"]
    trial_end: datetime | None = row.get("trial_ends_at")
    paid = start if trial_end is None else max(start, trial_end)
    yield Span(phase="trial", start=start, end=earlier(paid, until))
    yield Span(phase="paid", start=paid, end=until)


def _of_word(
    word: str, at: datetime, end: datetime | None, past_due_days: int | None
) -> Iterator[Span]:
    if word == "trialing":
        yield Span(phase="trial", start=at, end=end)
    elif word == "past_due" and past_due_days is not None:
        yield Span(phase="paid", start=at, end=earlier(end, at + timedelta(days=past_due_days)))
    elif word not in COUNTS_NOTHING | {CANCELLED}:
        yield Span(phase="paid", start=at, end=end)


def churn_reason(subscription: Told, at: datetime, policy: Policy, migrated: frozenset[str]) -> str:
    """Why an account that lost this subscription at this instant churned."""
    row = subscription.row
    if row["subscription_id"] in migrated:
        return "migrated"
    if _is_not_collected(subscription, at, policy):
        return "past_due"
    is_end = at == end_of(subscription, policy.churn_moment)
    was_cancelled = not is_end and (at, CANCELLED) in subscription.words
    if was_cancelled or subscription.is_cancelled or row.get("cancel_at") is not None:
        return "cancelled"
    if subscription.happened("ended_at") == at and row.get("renewal_term_months"):
        return "not_renewed"
    return "unknown"


def _is_not_collected(subscription: Told, at: datetime, policy: Policy) -> bool:
    """Whether the grace ended or a word said unpaid, and not just where it ended anyway."""
    if at == end_of(subscription, policy.churn_moment):
        return False
    if {(at, word) for word in NOT_COLLECTED} & set(subscription.words):
        return True
    since = None if policy.past_due_days is None else at - timedelta(days=policy.past_due_days)
    return (since, "past_due") in subscription.words


def earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    """The earlier of two ends, where None is no end."""
    if one is None:
        return other
    return one if other is None else min(one, other)
