"""Places in a file that a profile names: a column, or a column and a path into its JSON."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assets.sql_text import literal

EVERY = "*"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a value lies: the column's number, None for the row's array element, and a path."""

    column: int | None
    path: str
    steps: tuple[str, ...]

    def text_in(self, value: str) -> str:
        """The SQL of what the path finds in a JSON value; of every element's number, the sum."""
        found = f"json_extract_string({value}, {literal(self.path)})"
        if EVERY not in self.steps:
            return found
        return f"cast(list_sum([try_cast(x as decimal(38, 8)) for x in {found}]) as varchar)"


@dataclass(frozen=True, kw_only=True)
class Remainder:
    """What is left of a file's columns: each with the patch that takes out what was used."""

    columns: tuple[tuple[int, Mapping[str, Any]], ...]
    element: Mapping[str, Any] | None


def json_path(steps: Sequence[str]) -> str:
    """Steps into a JSON value as DuckDB's JSON path; a number is an index, `*` any of them."""
    return "$" + "".join(f"[{s}]" if _is_index(s) else f".{json.dumps(s)}" for s in steps)


def _is_index(step: str) -> bool:
    return step.isdigit() or step == EVERY


def column_in(name: str, names: Sequence[str]) -> int | None:
    """The number of the column of that name; else of the one that differs by case alone."""
    if name in names:
        return names.index(name)
    folded = name.casefold()
    same = [n for n, there in enumerate(names) if there.casefold() == folded]
    return same[0] if len(same) == 1 else None


def place_in(name: str, names: Sequence[str], rows: str | None) -> Place | None:
    """The place of that name: in the element of `rows`, a column, or the longest prefix that is."""
    if rows is not None and (name == rows or name.startswith(f"{rows}.")):
        return _place(None, name.removeprefix(rows).removeprefix("."))
    prefix = name
    while True:
        column = column_in(prefix, names)
        if column is not None:
            return _place(column, name[len(prefix) + 1 :])
        if "." not in prefix:
            return None
        prefix = prefix.rpartition(".")[0]


def _place(column: int | None, rest: str) -> Place:
    steps = tuple(rest.split(".")) if rest else ()
    path = json_path(steps) if steps or column is None else ""
    return Place(column=column, path=path, steps=steps)


def remainder(
    names: Sequence[str], used: Iterable[str], *, rows: str | None, never: Sequence[str]
) -> Remainder:
    """What no used place covers; `never` are names that are left out wherever they stand.

    Args:
        names: the file's columns.
        used: the places that contract columns are made from.
        rows: the array whose elements are the rows, as `items.data[]`.
        never: names of what is never stored, in any case.
    """
    places = [place for name in used if (place := place_in(name, names, rows)) is not None]
    if rows is not None and (array := place_in(rows.removesuffix("[]"), names, None)) is not None:
        places.append(array)
    whole = {place.column for place in places if place.column is not None and not place.steps}
    banned = {name.casefold() for name in never}
    patches: dict[int, dict[str, Any]] = {}
    for number, name in enumerate(names):
        if number not in whole and name.casefold() not in banned:
            patches[number] = dict.fromkeys(never)
    element: dict[str, Any] = dict.fromkeys(never)
    for place in places:
        target = element if place.column is None else patches.get(place.column)
        if target is not None:
            _take_out(target, place.steps)
    return Remainder(columns=tuple(patches.items()), element=element if rows else None)


def _take_out(patch: dict[str, Any], steps: Sequence[str]) -> None:
    """Adds to a merge patch what takes out one path; an index into an array can't be taken out."""
    if not steps or any(_is_index(step) for step in steps):
        return
    for step in steps[:-1]:
        inner = patch.setdefault(step, {})
        if not isinstance(inner, dict):
            return
        patch = inner
    patch[steps[-1]] = None
