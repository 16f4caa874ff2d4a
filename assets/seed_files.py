"""Reads the seeds that a person edits, row by row, and says what is wrong in them."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails


class SeedRow(BaseModel):
    """One row of a seed file; anything that no field names is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


R = TypeVar("R", bound=SeedRow)

# A custom attribute: a column of the CRM's accounts that no contract names, by its own name.
CUSTOM = "custom."
_CUSTOM_ATTRIBUTE = re.compile(r"custom\.\w[\w -]*")

_ALLOWED = {
    "float_parsing": "a number, with a point before the decimals",
    "finite_number": "a finite number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "bool_parsing": "true or false",
    "missing": "a value; the cell must not be empty",
    "string_too_short": "some text; the cell must not be empty",
}
_ALLOWED_PATTERNS = {
    "scope": "module:, feature: or event: and a name, such as module:Toolbar",
    "target": "a plain file name of letters, digits, '_', '-' and '.' that ends in .jsonl or .csv",
    "rule": "a name of lower-case letters, digits and '_', such as health_fell_below_50",
    "family": "a name of lower-case letters, digits and '_', such as health_low",
}


def is_custom_attribute(name: str) -> bool:
    """Whether a filter names a custom attribute, such as `custom.Success plan`.

    Which ones there are, the extracts say and no seed: one that nobody has is missing everywhere.
    """
    return _CUSTOM_ATTRIBUTE.fullmatch(name) is not None


def json_path(name: str) -> str:
    """Where a custom attribute stands in the JSON of an account's."""
    return f'$."{name.removeprefix(CUSTOM)}"'


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong in a seed file; printed, it is one sentence."""

    file: str
    line: int
    column: str | None
    message: str
    allowed: str

    def __str__(self) -> str:
        """File, line, column, what is wrong and what is allowed."""
        column = f", column {self.column}" if self.column else ""
        return f"{self.file}, line {self.line}{column}: {self.message}; allowed: {self.allowed}."


@dataclass(frozen=True, kw_only=True)
class Located(Generic[R]):
    """A row of a seed file and the line on which it begins (the header is line 1)."""

    line: int
    row: R


def label(path: Path) -> str:
    """How messages call a file: its folder and name, since `CSW_SEEDS` may point anywhere."""
    return f"{path.parent.name}/{path.name}"


def columns_of(model: type[SeedRow]) -> list[str]:
    """The columns of a seed file, in order; a field that is excluded stands in no column."""
    return [name for name, field in model.model_fields.items() if not field.exclude]


def read_rows(path: Path, model: type[R], problems: list[Problem]) -> Iterator[Located[R]]:
    """The rows of a seed file; a bad row becomes a problem and stops no other."""
    for line, cells in _records(path, model, problems):
        if spaced := list(_spaced(path, line, cells)):
            problems.extend(spaced)
            continue
        filled = {column: cell for column, cell in cells.items() if cell}
        try:
            yield Located(line=line, row=model.model_validate(filled))
        except ValidationError as error:
            problems.extend(_problem(path, line, details) for details in error.errors())


def repeated(path: Path, column: str, rows: Sequence[Located[R]]) -> list[Problem]:
    """A problem for each row whose name in a column stands in an earlier row already."""
    seen: set[str] = set()
    problems = []
    for found in rows:
        name = getattr(found.row, column)
        if name in seen:
            problems.append(
                Problem(
                    file=label(path),
                    line=found.line,
                    column=column,
                    message=f"'{name}' stands here more than once",
                    allowed="each name on one line",
                )
            )
        seen.add(name)
    return problems


def _spaced(path: Path, line: int, cells: Mapping[str, str]) -> Iterator[Problem]:
    """Cells with a space around them: the database keeps it, and finds no profile named `all `."""
    for column, cell in cells.items():
        if cell != cell.strip():
            yield Problem(
                file=label(path),
                line=line,
                column=column,
                message=f"'{cell}' begins or ends with a space",
                allowed="no space around a cell",
            )


def _records(
    path: Path, model: type[SeedRow], problems: list[Problem]
) -> Iterator[tuple[int, dict[str, str]]]:
    """The records of a file as dictionaries, after its header was found right."""
    expected = columns_of(model)
    records = _split(path, expected, problems)
    found = len(problems)
    header = next(records, (1, []))[1]
    if len(problems) > found:
        return
    if not header:
        problems.append(_in_file(path, 1, "the file is empty", ",".join(expected)))
        return
    if sorted(header) != sorted(expected):
        wrong = sorted(set(header) ^ set(expected)) or ["a name given twice"]
        message = f"the header is not right ({', '.join(wrong)})"
        problems.append(_in_file(path, 1, message, ",".join(expected)))
        return
    for line, cells in records:
        if len(cells) == len(header):
            yield line, dict(zip(header, cells, strict=True))
        else:
            message = f"{len(cells)} cells under {len(header)} columns"
            problems.append(_in_file(path, line, message, "one cell per column, commas quoted"))


def _split(
    path: Path, expected: list[str], problems: list[Problem]
) -> Iterator[tuple[int, list[str]]]:
    """Header and records that are not blank, each with the line on which it begins."""
    line = 1
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            for cells in reader:
                if cells:
                    yield line, cells
                line = reader.line_num + 1
    except FileNotFoundError:
        problems.append(_in_file(path, 1, "the file is missing", ",".join(expected)))
    except UnicodeDecodeError:
        problems.append(_in_file(path, line, "the text is not UTF-8", "a file saved as UTF-8"))
    except csv.Error as error:
        problems.append(_in_file(path, line, str(error), "quotes that are closed"))


def _in_file(path: Path, line: int, message: str, allowed: str) -> Problem:
    return Problem(file=label(path), line=line, column=None, message=message, allowed=allowed)


def _problem(path: Path, line: int, details: ErrorDetails) -> Problem:
    column = str(details["loc"][0]) if details["loc"] else None
    message = (
        f"'{details['input']}' is not right" if details["type"] != "missing" else "it is empty"
    )
    if details["type"] == "value_error":
        message, _, allowed = details["msg"].removeprefix("Value error, ").partition("; allowed")
        allowed = allowed.removeprefix(" is ").removeprefix(" are ")
    else:
        allowed = _allowed(details, column)
    return Problem(file=label(path), line=line, column=column, message=message, allowed=allowed)


def _allowed(details: ErrorDetails, column: str | None) -> str:
    if details["type"] in _ALLOWED:
        return _ALLOWED[details["type"]]
    if details["type"] == "string_pattern_mismatch":
        return _ALLOWED_PATTERNS.get(column or "", details["msg"])
    expected = details.get("ctx", {}).get("expected")
    return str(expected) if expected else details["msg"]
