"""What an evaluation found, in words."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from assets.alerts.rules import Rule

TransitionKind = Literal["opened", "resolved", "suppressed"]


@dataclass(frozen=True, kw_only=True)
class Transition:
    """One alert that opened, was resolved, or was held back on a data day, and why."""

    account_id: str
    account_name: str | None
    rule: str
    severity: str
    transition: TransitionKind
    cause: str
    day: date
    value: float | None
    threshold: float
    reason: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What one release brought; `days` is empty if it had no day that was new to the ledger."""

    release_id: str
    sequence: int
    days: tuple[date, ...] = ()
    rules: int = 0
    judged: int = 0
    unjudged: int = 0
    attribute_missing: int = 0
    transitions: tuple[Transition, ...] = ()
    notes: tuple[str, ...] = ()

    def count(self, kind: TransitionKind) -> int:
        """How many transitions of one kind there were."""
        return sum(found.transition == kind for found in self.transitions)

    @property
    def opened(self) -> int:
        """How many alerts opened."""
        return self.count("opened")

    @property
    def resolved(self) -> int:
        """How many alerts were resolved, superseded ones included."""
        return self.count("resolved")

    @property
    def suppressed(self) -> int:
        """How many alerts were held back, each counted on its first day only."""
        return self.count("suppressed")


def sentence_of(rule: Rule, account: str, value: float | None, unit: str | None) -> str:
    """The rule's sentence with its placeholders filled in; nothing in it is ever executed."""
    if value is None:
        return f"There is no {rule.metric} of {account} (rule {rule.rule})."
    filled = {
        "{account}": account,
        "{value}": number(value, unit),
        "{threshold}": number(rule.threshold, unit),
        "{recover_at}": number(rule.recovers_at, unit),
        "{for_days}": str(rule.for_days),
    }
    pieces = rule.sentence.replace("{", "\0{").replace("}", "}\0").split("\0")
    return "".join(filled.get(piece, piece) for piece in pieces)


def reason_of(rule: Rule, cause: str, value: float | None, unit: str | None) -> str:
    """Why a transition was made, with the numbers in it."""
    told = "missing" if value is None else number(value, unit)
    reasons = {
        "crossed": f"{rule.metric} is {told}, {rule.operator} {number(rule.threshold, unit)}",
        "missing": f"{rule.metric} is missing",
        "recovered": f"{rule.metric} is {told} and has reached {number(rule.recovers_at, unit)}",
        "out_of_scope": "the account is no longer one that the rule is about",
        "baseline": f"{rule.metric} was {told} already when the rule began",
    }
    return reasons[cause]


def cooldown_reason(rule: Rule, last_triggered_on: date) -> str:
    """Why a rule that has fired lately stays silent, and until when."""
    ends_on = last_triggered_on + timedelta(days=rule.cooldown_days)
    return f"it fired last on {last_triggered_on} and can fire again from {ends_on} on"


def number(value: float, unit: str | None = None) -> str:
    """A number as a person writes it: ratios in per cent, at most two decimals."""
    shown, suffix = (value * 100, " %") if unit == "ratio" else (value, "")
    text = f"{shown:,.2f}".rstrip("0").rstrip(".")
    return ("0" if text == "-0" else text) + suffix
