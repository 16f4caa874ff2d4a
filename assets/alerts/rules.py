"""What an alert rule is: its trigger, its memory, and whom it is about."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from assets.alerts.digests import digest
from assets.alerts.filters import RuleFilter
from assets.alerts.receivers import DEFAULT_ROUTE, OPS_ROUTE, Route, RuleName
from assets.alerts.scopes import (
    ALLOWED_SCOPES,
    dimensions_of,
    names_several,
    split_scopes,
)
from assets.alerts.workflow_rules import Workflow
from assets.placeholders import check_placeholders
from assets.seed_files import SeedRow
from assets.warehouse.health_rows import EVERY_MODULE, is_scope

Severity = Literal["info", "warning", "critical"]
Operator = Literal["below", "above", "in", "not_in", "changed", "reached"]
RANKS: dict[str, int] = {"info": 1, "warning": 2, "critical": 3}
PLACEHOLDERS = (
    "account",
    "scope",
    "value",
    "threshold",
    "recover_at",
    "for_days",
    "window_days",
)
HEALTH_SCORE = "health_score"
HEALTH_STATE = "health_state"
ACCOUNT_STATUS = "account_status"
DAILY_WORDS = (ACCOUNT_STATUS, HEALTH_STATE, "health_profile", "renewal_risk_band")
# What a set is compared with, beside the account's attributes; the last is of the as-of day alone.
WORDS = (*DAILY_WORDS, "is_expansion_flagged")
WORD_OPERATORS = ("in", "not_in", "changed")
EDGE_OF_A_SET = 0.5


class Rule(SeedRow):
    """A threshold on one metric, with memory. Days are data days, never wall clock."""

    rule: RuleName
    sentence: str = Field(min_length=1)
    family: RuleName | None = None
    severity: Severity
    metric: str = Field(min_length=1)
    scope: str | None = Field(default=None, validate_default=True)
    operator: Operator
    threshold: float | None = Field(default=None, allow_inf_nan=False, validate_default=True)
    set_values: str | None = Field(default=None, validate_default=True)
    change: Literal["amount", "percent"] | None = None
    window_days: int = Field(default=1, ge=1, le=366)
    recover_at: float | None = Field(default=None, allow_inf_nan=False)
    for_days: int = Field(default=1, ge=1, le=366)
    keep_firing_days: int = Field(default=0, ge=0, le=366)
    cooldown_days: int = Field(default=0, ge=0, le=3660)
    on_missing: Literal["keep", "resolve", "alert"] = "keep"
    on_activation: Literal["fire", "baseline"] = "fire"
    on_configuration_change: Literal["baseline", "fire"] = "baseline"
    max_share: float = Field(default=0.25, gt=0, le=1)
    owner: RuleName = OPS_ROUTE
    enabled: bool = True
    what_to_do: str = ""
    filters: tuple[RuleFilter, ...] = Field(default=(), exclude=True)
    modules: tuple[str, ...] = Field(default=(), exclude=True)

    @field_validator("sentence")
    @classmethod
    def _names_known_placeholders(cls, sentence: str) -> str:
        return check_placeholders(sentence, PLACEHOLDERS)

    @field_validator("scope")
    @classmethod
    def _names_what_tells_its_alerts_apart(
        cls, scope: str | None, info: ValidationInfo
    ) -> str | None:
        sentence = info.data.get("sentence", "")
        if scope is None:
            if "{scope}" in sentence:
                raise ValueError(
                    f"it is empty, and the sentence says {{scope}}; allowed are {ALLOWED_SCOPES}"
                )
            return None
        wrong = next((part for part in split_scopes(scope) if not is_scope(part)), None)
        if wrong is not None:
            raise ValueError(f"'{wrong}' is not right; allowed are {ALLOWED_SCOPES}")
        if names_several(scope) and sentence and "{scope}" not in sentence:
            raise ValueError(
                f"'{scope}' makes alerts of one account that read the same; allowed is one scope, "
                "or {scope} in the sentence"
            )
        return scope

    @field_validator("threshold")
    @classmethod
    def _has_its_edge(cls, threshold: float | None, info: ValidationInfo) -> float | None:
        operator = info.data.get("operator")
        if operator is not None and (threshold is None) != (operator in WORD_OPERATORS):
            raise ValueError(
                "it is empty; allowed is a value; the cell must not be empty"
                if threshold is None
                else f"{threshold:g} says nothing beside '{operator}'; allowed is nothing"
            )
        return threshold

    @field_validator("set_values")
    @classmethod
    def _has_its_set(cls, listed: str | None, info: ValidationInfo) -> str | None:
        operator = info.data.get("operator")
        if operator is not None and (listed is None) == (operator in ("in", "not_in")):
            raise ValueError(
                f"'{operator}' has no values to compare with; allowed are values separated by '|'"
                if listed is None
                else f"'{listed}' says nothing beside '{operator}'; allowed is nothing"
            )
        return listed

    @field_validator("change")
    @classmethod
    def _changes_a_number(cls, change: str | None, info: ValidationInfo) -> str | None:
        operator = info.data.get("operator")
        if change and operator is not None and operator not in ("below", "above"):
            raise ValueError(f"'{change}' says nothing beside '{operator}'; allowed is nothing")
        return change

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
    def edge(self) -> float:
        """The number compared with; a set's rule compares 1 (in it) or 0 (not) with the middle."""
        return EDGE_OF_A_SET if self.threshold is None else self.threshold

    @property
    def recovers_at(self) -> float:
        """The value at which an open alert is over: the threshold itself without hysteresis."""
        return self.edge if self.recover_at is None else self.recover_at

    @property
    def values(self) -> tuple[str, ...]:
        """The words of the set."""
        return tuple(word.strip() for word in (self.set_values or "").split("|"))

    @property
    def scopes(self) -> tuple[str, ...]:
        """The modules, features and events that the metric is narrowed to; none is the account."""
        named = split_scopes(self.scope) if self.scope else ()
        every = tuple(f"module:{module}" for module in self.modules)
        listed = [every if scope == EVERY_MODULE else (scope,) for scope in named]
        return tuple(dict.fromkeys(scope for part in listed for scope in part))

    @property
    def dimensions(self) -> tuple[str, ...]:
        """What an account's alerts of the rule are told apart by, as the ledger has it."""
        return tuple(map(dimensions_of, self.scopes)) if self.scope else (dimensions_of(None),)

    @property
    def compares_words(self) -> bool:
        """Whether the rule is about a word (a state) and not about a number."""
        return self.operator in WORD_OPERATORS

    @property
    def looks_back(self) -> int | None:
        """How many days back the value lies that today's is compared with, if one is."""
        return self.window_days if self.change or self.operator == "changed" else None

    @property
    def is_once(self) -> bool:
        """Whether an account is told of once and for ever: a milestone."""
        return self.operator == "reached"

    @property
    def is_about_health(self) -> bool:
        """Whether the rule is about what the health's configuration can move."""
        return self.metric in (HEALTH_SCORE, HEALTH_STATE)

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
    workflows: tuple[Workflow, ...] = ()

    @property
    def enabled(self) -> tuple[Rule, ...]:
        """The rules that are judged."""
        return tuple(rule for rule in self.rules if rule.enabled)

    def routes_of(self, rule: str) -> tuple[Route, ...]:
        """A rule's own routes by position; the default ones (`*`) if it has none."""
        own = [route for route in self.routes if route.rule == rule]
        default = [route for route in self.routes if route.rule == DEFAULT_ROUTE]
        return tuple(sorted(own or default, key=lambda route: route.position))
