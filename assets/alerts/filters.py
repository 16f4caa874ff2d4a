"""Conditions on an account's attributes.

Those of one rule or workflow must all be true. A missing attribute makes every operator false,
`is_not` and `not_in` included.
"""

from typing import Literal

from pydantic import Field

from assets.alerts.receivers import RuleName
from assets.seed_files import SeedRow

FilterOperator = Literal["is", "is_not", "in", "not_in"]


class RuleFilter(SeedRow):
    """Which accounts a rule is about."""

    rule: RuleName
    attribute: str = Field(min_length=1)
    operator: FilterOperator
    value: str = Field(min_length=1)

    @property
    def values(self) -> tuple[str, ...]:
        """The values compared with: several, separated by `|`, for `in` and `not_in`."""
        return _values(self.operator, self.value)


class WorkflowCondition(SeedRow):
    """For which of its rule's accounts a workflow begins."""

    workflow: RuleName
    attribute: str = Field(min_length=1)
    operator: FilterOperator
    value: str = Field(min_length=1)

    @property
    def values(self) -> tuple[str, ...]:
        """The values compared with: several, separated by `|`, for `in` and `not_in`."""
        return _values(self.operator, self.value)


def _values(operator: FilterOperator, value: str) -> tuple[str, ...]:
    parts = value.split("|") if operator in ("in", "not_in") else [value]
    return tuple(part.strip() for part in parts)
