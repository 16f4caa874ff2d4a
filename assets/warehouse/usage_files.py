"""What the usage seeds say, row by row: the product's modules, adoption and lifetime counters."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

from assets.seed_files import Located, Problem, SeedRow, label, read_rows, repeated

CATALOGUE_FILE = "module_catalogue.csv"
ADOPTION_FILE = "module_adoption.csv"
COUNTERS_FILE = "lifetime_counters.csv"
EVERY = "*"


class CatalogueFeature(SeedRow):
    """One feature of the product, and whether its use is depth (spec 30, "Definitions")."""

    package: str = Field(min_length=1)
    module: str = Field(min_length=1)
    feature: str = Field(min_length=1)
    is_core: bool


class ModuleAdoption(SeedRow):
    """From how many days of use in a month on a module is adopted in it."""

    module: str = Field(min_length=1)
    adopted_from_days: int = Field(ge=1, le=31)


class LifetimeCounter(SeedRow):
    """A kind of event that a user's lifetime counter sums the quantity of."""

    counter: Literal[
        "events", "errors", "shares", "comments", "redemptions", "push_notifications_received"
    ]
    event_type: str = Field(min_length=1)
    event_name: str = Field(min_length=1)


def find_usage_problems(seeds: Path) -> list[Problem]:
    """Everything that is wrong in the usage seeds."""
    problems: list[Problem] = []
    features = list(read_rows(seeds / CATALOGUE_FILE, CatalogueFeature, problems))
    adoptions = list(read_rows(seeds / ADOPTION_FILE, ModuleAdoption, problems))
    list(read_rows(seeds / COUNTERS_FILE, LifetimeCounter, problems))
    problems += repeated(seeds / ADOPTION_FILE, "module", adoptions)
    problems += _features_named_twice(seeds / CATALOGUE_FILE, features)
    if EVERY not in {found.row.module for found in adoptions}:
        problems.append(
            Problem(
                file=label(seeds / ADOPTION_FILE),
                line=1,
                column="module",
                message=f"no row is for '{EVERY}', every module without a row of its own",
                allowed=f"any modules, and one row for '{EVERY}'",
            )
        )
    return problems


def _features_named_twice(
    path: Path, features: Sequence[Located[CatalogueFeature]]
) -> list[Problem]:
    """A feature of a module belongs to one package, or use of it could be counted under two."""
    first: dict[tuple[str, str], int] = {}
    problems = []
    for found in features:
        name = (found.row.module, found.row.feature)
        if name in first:
            problems.append(
                Problem(
                    file=label(path),
                    line=found.line,
                    column="feature",
                    message=f"'{name[1]}' of '{name[0]}' stands on line {first[name]} already",
                    allowed="each feature of a module once",
                )
            )
        first.setdefault(name, found.line)
    return problems
