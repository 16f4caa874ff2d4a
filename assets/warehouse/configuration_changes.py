"""What people write of their edits of the seeds, row by row."""

from datetime import date
from pathlib import Path

from pydantic import Field

from assets.seed_files import Problem, SeedRow, label, read_rows

CHANGES_FILE = "configuration_changes.csv"


class ConfigurationChange(SeedRow):
    """One edit: when, by whom and why."""

    changed_on: date
    changed_by: str = Field(min_length=1)
    what: str = Field(min_length=1)


def find_change_problems(seeds: Path) -> list[Problem]:
    """Everything that is wrong in the log of edits, which a folder of seeds may lack.

    Lines are added at its end: who changed the seeds is read of the lines that are new.
    """
    problems: list[Problem] = []
    path = seeds / CHANGES_FILE
    if not path.exists():
        return problems
    before: date | None = None
    for found in read_rows(path, ConfigurationChange, problems):
        day = found.row.changed_on
        if before and day < before:
            problems.append(
                Problem(
                    file=label(path),
                    line=found.line,
                    column="changed_on",
                    message=f"{day} stands below {before}",
                    allowed=f"{before} or later; an edit is a line at the end",
                )
            )
        before = max(day, before or day)
    return problems
