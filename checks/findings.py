"""What a check on a raw table says: a sentence with the numbers in it, and rows that show it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Cell = str | int | float | bool | None


@dataclass(frozen=True, kw_only=True)
class Said:
    """What was found.

    Attributes:
        passed: Whether nothing is to be done.
        sentence: What was found, with its numbers.
        rows: A sample, as a table with a name for each column.
        facts: Single values worth showing.
    """

    passed: bool
    sentence: str
    rows: Sequence[Mapping[str, Cell]] = ()
    facts: Mapping[str, Cell] = field(default_factory=dict)
