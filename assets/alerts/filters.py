"""A condition on an account's attribute."""

from typing import Literal

from pydantic import Field

from assets.alerts.receivers import RuleName
from assets.seed_files import SeedRow

FilterOperator = Literal["is", "is_not", "in", "not_in"]


class RuleFilter(SeedRow):
    """One condition on an account's attribute; a rule's filters must all be true.

    A missing attribute makes every operator false, `is_not` and `not_in` included.
    """

    rule: RuleName
    attribute: str = Field(min_length=1)
    operator: FilterOperator
    value: str = Field(min_length=1)

    @property
    def values(self) -> tuple[str, ...]:
        """The values compared with: several, separated by `|`, for `in` and `not_in`."""
        parts = self.value.split("|") if self.operator in ("in", "not_in") else [self.value]
        return tuple(part.strip() for part in parts)
