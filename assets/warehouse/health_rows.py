"""The rows of the health seeds: what may stand in each column."""

import re
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from assets.placeholders import check_placeholders
from assets.seed_files import SeedRow, is_custom_attribute

# What int_health_days_profiled tells of an account in words.
WORDS = (
    "account_status", "country", "crm_status", "industry", "lifecycle_stage", "product_line",
    "region", "size_band", "tier",
)  # fmt: skip
AGE = "age_days"
STATUSES = ("lead", "trial", "customer", "past_due", "churned")
WORD_OPERATORS = ("is", "is_not", "in", "not_in")
NUMBER_OPERATORS = ("at_least", "at_most", "above", "below")
SCOPED_METRIC = "use_count_<n>d or days_used_<n>d, such as use_count_14d"

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def _plain_number(cell: Any) -> Any:
    """Refuses what Python alone takes for a number, such as 1_000, nan, other scripts' digits."""
    if isinstance(cell, str) and _NUMBER.fullmatch(cell) is None:
        raise ValueError(
            f"'{cell}' is no number; allowed is a number, with a point before the decimals"
        )
    return cell


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
# What a metric may be narrowed to, written `module:Planning`; of modules to each one at once, since
# the catalogue says which there are.
SCOPE_KINDS = ("module", "feature", "event")
EVERY_MODULE = "module:*"
Scope = Annotated[str, Field(pattern=rf"^({'|'.join(SCOPE_KINDS)}):.+$")]


def _one_scope(scope: str) -> str:
    """A scope of a condition, part or cap: a score is of one thing, not of every module."""
    kind = "|".join(SCOPE_KINDS)
    if scope == EVERY_MODULE or not is_scope(scope) or re.search(rf"\|\s*({kind}):", scope):
        raise ValueError(
            f"'{scope}' names no single thing; allowed is one module, feature or event by its "
            "name, such as module:Toolbar"
        )
    return scope


OneScope = Annotated[Scope, AfterValidator(_one_scope)]
NumberOperator = Literal["at_least", "at_most", "above", "below"]
# DuckDB's DECIMAL(18,6) and DECIMAL(9,6).
Plain = BeforeValidator(_plain_number)
Edge = Annotated[Decimal, Plain, Field(gt=-(10**12), lt=10**12, decimal_places=6)]
Points = Annotated[Decimal, Plain, Field(ge=0, le=100, decimal_places=6)]
Days = Annotated[int, Plain, Field(ge=0, le=36_500)]
Place = Annotated[int, Plain, Field(ge=1, le=10_000)]


class HealthProfile(SeedRow):
    """How a kind of account is judged; the first that matches by position wins."""

    profile: Name
    position: Place
    judged_by: Literal["score", "rule"]
    good_from: Points = Field(gt=0)
    average_from: Points
    minimum_coverage: Annotated[Decimal, Plain] = Field(gt=0, le=1, decimal_places=6)
    description: str = Field(min_length=1)

    @model_validator(mode="after")
    def _edges_are_in_order(self) -> Self:
        if self.average_from >= self.good_from:
            raise ValueError("average_from is not below good_from; allowed is a lower number")
        return self


class ProfileFilter(SeedRow):
    """What must hold of an account for a profile to judge it."""

    profile: Name
    attribute: str = Field(min_length=1)
    operator: Literal["is", "is_not", "in", "not_in", "at_least", "at_most", "above", "below"]
    value: str = Field(min_length=1)

    @model_validator(mode="after")
    def _operator_fits(self) -> Self:
        """Words are compared as words, numbers as numbers."""
        is_word = self.attribute in WORDS or is_custom_attribute(self.attribute)
        fitting = WORD_OPERATORS if is_word else NUMBER_OPERATORS
        if self.operator not in fitting:
            kind = "a word" if is_word else "a number"
            raise ValueError(
                f"'{self.operator}' does not compare {self.attribute}, {kind}; allowed is "
                + ", ".join(fitting)
            )
        if not is_word:
            _plain_number(self.value)
        return self

    @model_validator(mode="after")
    def _statuses_exist(self) -> Self:
        """An account's status is one of five words, whatever the CRM calls it (crm_status)."""
        if self.attribute == "account_status":
            for word in self.value.split("|") if self.operator.endswith("in") else [self.value]:
                if word.strip() not in STATUSES:
                    raise ValueError(
                        f"no account has the status '{word.strip()}'; allowed is "
                        + ", ".join(STATUSES)
                    )
        return self


class HealthCondition(SeedRow):
    """One metric that is scored by two edges, with what it weighs."""

    condition: Name
    profile: Name
    component: Name
    kind: Literal["bands", "linear", "any_of"]
    metric: Name | None = None
    scope: OneScope | None = None
    direction: Literal["higher", "lower"]
    lower_edge: Edge
    upper_edge: Edge
    weight: Annotated[Decimal, Plain] = Field(ge=0, lt=1000, decimal_places=6)
    fresh_days: Days
    stale_days: Days = Field(ge=1)
    minimum_history_days: Days
    sentence: str = Field(min_length=1)

    @field_validator("sentence")
    @classmethod
    def _sentence_can_be_filled(cls, sentence: str) -> str:
        return check_placeholders(sentence, ("value", "lower", "upper"))

    @model_validator(mode="after")
    def _edges_are_in_order(self) -> Self:
        if self.lower_edge > self.upper_edge:
            raise ValueError("lower_edge is above upper_edge; allowed is a lower number")
        if self.kind == "linear" and self.lower_edge == self.upper_edge:
            raise ValueError(
                "a linear condition has no room between equal edges; allowed are two numbers"
            )
        if self.fresh_days >= self.stale_days:
            raise ValueError("fresh_days is not below stale_days; allowed is a lower number")
        return self

    @model_validator(mode="after")
    def _reads_one_thing(self) -> Self:
        """Parts read for a condition that has them."""
        if self.kind == "any_of" and (self.metric or self.scope):
            raise ValueError(
                "an any_of condition reads its parts; allowed is no metric and no scope"
            )
        if self.kind != "any_of" and not self.metric:
            raise ValueError(f"a {self.kind} condition has no metric; allowed is one")
        return self


class ConditionPart(SeedRow):
    """One of the things that an `any_of` condition reads."""

    condition: Name
    part: Place
    metric: Name
    scope: OneScope | None = None


class ConditionThreshold(SeedRow):
    """Other edges from an age of the account on."""

    condition: Name
    min_age_days: Days = Field(ge=1)
    lower_edge: Edge
    upper_edge: Edge

    @model_validator(mode="after")
    def _edges_are_in_order(self) -> Self:
        if self.lower_edge > self.upper_edge:
            raise ValueError("lower_edge is above upper_edge; allowed is a lower number")
        return self


class HealthCap(SeedRow):
    """The highest score that is left while a metric is on one side of a value."""

    cap: Name
    metric: Name
    scope: OneScope | None = None
    operator: NumberOperator
    value: Edge
    score: Points
    sentence: str = Field(min_length=1)

    @field_validator("sentence")
    @classmethod
    def _sentence_can_be_filled(cls, sentence: str) -> str:
        return check_placeholders(sentence, ("value", "score"))


class ValueEvent(SeedRow):
    """By what an account is taken to have arrived at value."""

    value_event: Name
    kind: Literal["module", "feature", "event"]
    name: str = Field(min_length=1)


def is_scope(scope: str) -> bool:
    """Whether it names one module, feature or event, or every module."""
    kind = "|".join(SCOPE_KINDS)
    names_one = re.fullmatch(rf"({kind}):\S.*", scope) is not None and not scope.endswith(":*")
    return names_one or scope == EVERY_MODULE


def is_scoped_metric(metric: str) -> bool:
    """Whether a metric can be had of one module, feature or event: its name says the days."""
    days = metric.removeprefix("use_count_").removeprefix("days_used_")
    return days != metric and re.fullmatch(r"[1-9][0-9]{0,3}d", days) is not None
