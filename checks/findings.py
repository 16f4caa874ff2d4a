"""What a check on a raw table says: a sentence with the numbers in it, and rows that show it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

MASK = "***"
"""What stands in place of personal data."""
Cell = str | int | float | bool | None


@dataclass(frozen=True, kw_only=True)
class Said:
    """What was found.

    Attributes:
        passed: Whether nothing is to be done.
        sentence: What was found, with its numbers.
        rows: A sample, as a table with a name for each column.
        facts: Single values worth showing.
        rows_failed: Rows that failed, where rows are counted.
        rows_tested: Of so many.
    """

    passed: bool
    sentence: str
    rows: Sequence[Mapping[str, Cell]] = ()
    facts: Mapping[str, Cell] = field(default_factory=dict)
    rows_failed: int | None = None
    rows_tested: int | None = None
