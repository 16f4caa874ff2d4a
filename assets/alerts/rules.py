"""What an alert rule is: its threshold, its memory, whom it is about and where it is told."""

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from assets.seed_files import SeedRow

Severity = Literal["info", "warning", "critical"]
RANKS: dict[str, int] = {"info": 1, "warning": 2, "critical": 3}
PLACEHOLDERS = ("account", "value", "threshold", "recover_at", "for_days")
DEFAULT_ROUTE = "*"
HEALTH_SCORE = "health_score"
ACCOUNT_STATUS = "account_status"

RuleName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*\.jsonl$")]
SentTransition = Literal["opened", "resolved"]


def _split(cell: object) -> object:
    return tuple(part.strip() for part in cell.split("|")) if isinstance(cell, str) else cell


class RuleFilter(SeedRow):
    """One condition on an account's attribute; a rule's filters must all be true.

    A missing attribute makes every operator false, `is_not` and `not_in` included.
    """

    rule: RuleName
    attribute: str = Field(min_length=1)
    operator: Literal["is", "is_not", "in", "not_in"]
    value: str = Field(min_length=1)

    @property
    def values(self) -> tuple[str, ...]:
        """The values compared with: several, separated by `|`, for `in` and `not_in`."""
        parts = self.value.split("|") if self.operator in ("in", "not_in") else [self.value]
        return tuple(part.strip() for part in parts)


class Route(SeedRow):
    """Where the alerts of one rule, or of every rule without a route (`*`), are told."""

    rule: RuleName | Literal["*"]
    position: int = Field(ge=1)
    channel: Literal["file"]
    target: FileName
    sends: Annotated[tuple[SentTransition, ...], BeforeValidator(_split)] = ("opened", "resolved")


class Rule(SeedRow):
    """A threshold on one metric, with memory. Days are data days, never wall clock."""

    rule: RuleName
    sentence: str = Field(min_length=1)
    family: RuleName | None = None
    severity: Severity
    metric: str = Field(min_length=1)
    operator: Literal["below", "above"]
    threshold: float = Field(allow_inf_nan=False)
    recover_at: float | None = Field(default=None, allow_inf_nan=False)
    for_days: int = Field(default=1, ge=1, le=366)
    cooldown_days: int = Field(default=0, ge=0, le=3660)
    on_missing: Literal["keep", "resolve", "alert"] = "keep"
    on_activation: Literal["fire", "baseline"] = "fire"
    enabled: bool = True
    what_to_do: str = ""
    filters: tuple[RuleFilter, ...] = Field(default=(), exclude=True)

    @field_validator("sentence")
    @classmethod
    def _names_known_placeholders(cls, sentence: str) -> str:
        unknown = [name for name in re.findall(r"{([^}]*)}", sentence) if name not in PLACEHOLDERS]
        if unknown:
            allowed = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
            raise ValueError(f"{{{unknown[0]}}} is not a placeholder; allowed are {allowed}")
        return sentence

    @field_validator("recover_at")
    @classmethod
    def _recovers_on_the_good_side(cls, edge: float | None, info: ValidationInfo) -> float | None:
        threshold, operator = info.data.get("threshold"), info.data.get("operator")
        if edge is None or threshold is None:
            return edge
        if operator == "below" and edge < threshold:
            raise ValueError(
                f"{edge:g} lies below the threshold; allowed is {threshold:g} or more, or nothing"
            )
        if operator == "above" and edge > threshold:
            raise ValueError(
                f"{edge:g} lies above the threshold; allowed is {threshold:g} or less, or nothing"
            )
        return edge

    @property
    def recovers_at(self) -> float:
        """The value at which an open alert is over: the threshold itself without hysteresis."""
        return self.threshold if self.recover_at is None else self.recover_at

    @property
    def family_name(self) -> str:
        """The rules of which only the severest is open; a rule without a family is its own."""
        return self.family or self.rule

    @property
    def rank(self) -> int:
        """The severity as a number, higher is severer."""
        return RANKS[self.severity]

    @cached_property
    def version(self) -> str:
        """A hash of the rule's row and its filters: which wording of the rule fired."""
        filters = [found.model_dump(mode="json") for found in self.filters]
        return digest({**self.model_dump(mode="json"), "filters": filters})[:16]


@dataclass(frozen=True, kw_only=True)
class RuleSet:
    """All rules and routes of one seeds folder, rules in the order of their names."""

    rules: tuple[Rule, ...]
    routes: tuple[Route, ...]

    @property
    def enabled(self) -> tuple[Rule, ...]:
        """The rules that are judged."""
        return tuple(rule for rule in self.rules if rule.enabled)

    def routes_of(self, rule: str) -> tuple[Route, ...]:
        """A rule's own routes by position; the default ones (`*`) if it has none."""
        own = [route for route in self.routes if route.rule == rule]
        default = [route for route in self.routes if route.rule == DEFAULT_ROUTE]
        return tuple(sorted(own or default, key=lambda route: route.position))


def digest(parts: object) -> str:
    """The SHA-256 of a value's canonical JSON, as hexadecimal text."""
    canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
