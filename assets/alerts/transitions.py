"""What an evaluation found, in words."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from assets.alerts.rules import Rule
from assets.alerts.scopes import name_of, spoken

# How a milestone's alert ends on the day after: it was told, and nothing set off by it ends.
MILESTONE = "milestone"

Value = float | str | None
TransitionKind = Literal["opened", "resolved", "suppressed", "snooze_ended"]


@dataclass(frozen=True, kw_only=True)
class Transition:
    """One alert that opened, was resolved, or was held back on a data day, and why.

    `scope` is the module, feature or event that it is about; None is the account as a whole.
    """

    account_id: str
    account_name: str | None
    rule: str
    severity: str
    transition: TransitionKind
    cause: str
    day: date
    value: float | None
    threshold: float | None
    reason: str
    sentence: str
    value_text: str | None = None
    scope: str | None = None


@dataclass(frozen=True, kw_only=True)
class HeldRule:
    """A rule that would have fired for too many accounts on a day, and fired for none."""

    rule: str
    owner: str
    day: date
    would_fire: int
    most: int
    is_new: bool


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
    held: tuple[HeldRule, ...] = ()
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


def sentence_of(
    rule: Rule, account: str, value: Value, unit: str | None, scope: str | None = None
) -> str:
    """The rule's sentence with its placeholders filled in; nothing in it is ever executed."""
    if value is None:
        return f"There is no {metric_of(rule.metric, scope)} of {account} (rule {rule.rule})."
    unit = unit_of(rule, unit)
    filled = {
        "{account}": account,
        "{scope}": name_of(scope or ""),
        "{value}": told(value, unit),
        "{threshold}": _edge(rule, unit),
        "{recover_at}": number(rule.recovers_at, unit),
        "{for_days}": str(rule.for_days),
        "{window_days}": str(rule.window_days),
    }
    pieces = rule.sentence.replace("{", "\0{").replace("}", "}\0").split("\0")
    return "".join(filled.get(piece, piece) for piece in pieces)


def reason_of(
    rule: Rule, cause: str, value: Value, unit: str | None, scope: str | None = None
) -> str:
    """Why a transition was made, with the numbers in it."""
    unit = unit_of(rule, unit)
    said, what = told(value, unit), _compared(rule, scope)
    reasons = {
        "crossed": f"{what} is {said}, {_how(rule)} {_edge(rule, unit)}",
        "missing": f"{what} is missing",
        "recovered": f"{what} is {said} and has reached {number(rule.recovers_at, unit)}",
        "out_of_scope": "the account is no longer one that the rule is about",
        "baseline": f"{what} was {said} already when the rule began",
        "configuration": f"{what} is {said} by an edit of the configuration, not by the customer",
        MILESTONE: "a milestone is told once",
    }
    if rule.compares_words and cause == "recovered":
        return f"{what} is {said}"
    return reasons[cause]


def unit_of(rule: Rule, unit: str | None) -> str | None:
    """The unit of what a rule compares: a change in per cent is a ratio whatever it is of."""
    return "ratio" if rule.change == "percent" else unit


def told(value: Value, unit: str | None = None) -> str:
    """A value as a person writes it."""
    if value is None:
        return "missing"
    return value if isinstance(value, str) else number(value, unit)


def metric_of(metric: str, scope: str | None) -> str:
    """What is compared, as a person says it: `use_count_30d of module Planning`."""
    return f"{metric} of {spoken(scope)}" if scope else metric


def _compared(rule: Rule, scope: str | None) -> str:
    what = metric_of(rule.metric, scope)
    if not rule.change:
        return what
    days = "a day" if rule.window_days == 1 else f"{rule.window_days} days"
    return f"the change of {what} in {days}"


def _how(rule: Rule) -> str:
    words = {"in": "one of", "not_in": "none of", "changed": "another than", "reached": "at least"}
    return words.get(rule.operator, rule.operator)


def _edge(rule: Rule, unit: str | None) -> str:
    if rule.operator == "changed":
        return "the day before" if rule.window_days == 1 else f"{rule.window_days} days before"
    return ", ".join(rule.values) if rule.compares_words else number(rule.edge, unit)


def cooldown_reason(rule: Rule, last_triggered_on: date) -> str:
    """Why a rule that has fired lately stays silent, and until when."""
    ends_on = last_triggered_on + timedelta(days=rule.cooldown_days)
    return f"it fired last on {last_triggered_on} and can fire again from {ends_on} on"


def number(value: float, unit: str | None = None) -> str:
    """A number as a person writes it: ratios in per cent, at most two decimals."""
    shown, suffix = (value * 100, " %") if unit == "ratio" else (value, "")
    text = f"{shown:,.2f}".rstrip("0").rstrip(".")
    return ("0" if text == "-0" else text) + suffix
