"""What the health seeds say, row by row: profiles and the conditions that belong to them."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from assets.seed_files import Problem, SeedRow, label, read_rows, repeated

PROFILES_FILE = "health_profiles.csv"
CONDITIONS_FILE = "health_conditions.csv"

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class HealthProfile(SeedRow):
    """How a kind of account is judged; the first that matches by position wins."""

    profile: Name
    position: int = Field(ge=1)
    description: str = Field(min_length=1)
    good_from: Decimal = Field(gt=0, le=100)
    average_from: Decimal = Field(ge=0, le=100)
    minimum_coverage: Decimal = Field(gt=0, le=1)

    @model_validator(mode="after")
    def _edges_are_in_order(self) -> Self:
        if self.average_from >= self.good_from:
            raise ValueError("average_from is not below good_from; allowed is a lower number")
        return self


class HealthCondition(SeedRow):
    """One metric, put into a band by two edges, with what it weighs."""

    condition: Name
    profile: Name
    component: Name
    metric: Name
    direction: Literal["higher", "lower"]
    lower_edge: Decimal
    upper_edge: Decimal
    weight: Decimal = Field(gt=0, lt=1000)
    fresh_days: int = Field(ge=0)
    stale_days: int = Field(ge=1)
    minimum_history_days: int = Field(ge=0)
    sentence: str = Field(min_length=1)

    @model_validator(mode="after")
    def _edges_are_in_order(self) -> Self:
        if self.lower_edge > self.upper_edge:
            raise ValueError("lower_edge is above upper_edge; allowed is a lower number")
        if self.fresh_days >= self.stale_days:
            raise ValueError("fresh_days is not below stale_days; allowed is a lower number")
        return self


def find_health_problems(seeds: Path, metrics: set[str]) -> list[Problem]:
    """Everything that is wrong in the health seeds, against the metrics that there are."""
    problems: list[Problem] = []
    profiles = list(read_rows(seeds / PROFILES_FILE, HealthProfile, problems))
    conditions = list(read_rows(seeds / CONDITIONS_FILE, HealthCondition, problems))
    names = {found.row.profile for found in profiles}
    problems += repeated(seeds / PROFILES_FILE, "profile", profiles)
    problems += repeated(seeds / CONDITIONS_FILE, "condition", conditions)
    for found in conditions:
        for column, known in (("profile", names), ("metric", metrics)):
            said = getattr(found.row, column)
            if said not in known:
                problems.append(
                    Problem(
                        file=label(seeds / CONDITIONS_FILE),
                        line=found.line,
                        column=column,
                        message=f"there is no {column.replace('_', ' ')} named '{said}'",
                        allowed=", ".join(sorted(known)),
                    )
                )
    return problems
