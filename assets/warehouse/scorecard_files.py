"""What the layout of an account's page says, row by row."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from assets.seed_files import Located, Problem, SeedRow, label, read_rows, repeated

LAYOUT_FILE = "scorecard_layout.csv"


class ScorecardField(SeedRow):
    """One field of the page, and where it stands."""

    section: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    position: int = Field(ge=1)
    kind: Literal["attribute", "metric"]
    name: str = Field(min_length=1)
    label: str = Field(min_length=1)


def find_scorecard_problems(
    seeds: Path, columns: Collection[str], metrics: Collection[str]
) -> list[Problem]:
    """Everything that is wrong in the layout.

    Args:
        seeds: the folder of the seeds.
        columns: the columns of account_scorecard.
        metrics: the metrics of metric_registry.
    """
    problems: list[Problem] = []
    path = seeds / LAYOUT_FILE
    fields = list(read_rows(path, ScorecardField, problems))
    problems += repeated(path, "name", fields)
    problems += _shared_places(path, fields)
    for found in fields:
        known = metrics if found.row.kind == "metric" else columns
        if found.row.name not in columns or found.row.name not in known:
            problems.append(
                Problem(
                    file=label(path),
                    line=found.line,
                    column="name",
                    message=f"account_scorecard has no {found.row.kind} '{found.row.name}'",
                    allowed=", ".join(sorted(set(known) & set(columns))),
                )
            )
    return problems


def _shared_places(path: Path, fields: Sequence[Located[ScorecardField]]) -> list[Problem]:
    """A place of a section that two fields want."""
    taken: dict[tuple[str, int], int] = {}
    problems = []
    for found in fields:
        place = (found.row.section, found.row.position)
        first = taken.setdefault(place, found.line)
        if first != found.line:
            problems.append(
                Problem(
                    file=label(path),
                    line=found.line,
                    column="position",
                    message=f"place {place[1]} of section '{place[0]}' is that of line {first}",
                    allowed="a place of its own in its section",
                )
            )
    return problems
