"""Whether a column's values are of a contract column's type, and what a profile says of them."""

from collections.abc import Mapping
from typing import Any

from assets.extracts.contracts import Column, Contract
from assets.extracts.suggesting.names import likeness, load_synonyms, snake
from assets.extracts.suggesting.values import Pattern

TAKEN = 0.6
NUMBERS = {"bigint", "decimal", "price", "seconds", "double"}


def fits(column: Column, contract: Contract, pattern: Pattern) -> float:
    """1 where the values are of the column's type, 0 where they can't be."""
    if pattern.kind == "empty":
        return 0.8
    if column.type in {"timestamp", "date"}:
        return 1.0 if pattern.kind == "time" else 0.9 if pattern.epoch else 0.0
    if column.type == "boolean":
        return float(pattern.is_flag)
    if column.type in NUMBERS:
        whole = pattern.kind == "integer" or (pattern.kind == "number" and column.type != "bigint")
        return float(whole)
    return _fits_text(column, contract, pattern)


def _fits_text(column: Column, contract: Contract, pattern: Pattern) -> float:
    if pattern.kind in {"time", "boolean"}:
        return 0.0
    if column.allowed is not None:
        return float(bool(_word_map(column, contract, pattern)[0]))
    return 1.0


def _word_map(
    column: Column, contract: Contract, pattern: Pattern
) -> tuple[dict[str, str], list[str]]:
    """The file's words with the contract's beside them, and those that have none."""
    known = load_synonyms().words.get(f"{contract.name}.{column.name}", {})
    ours = {word: word for word in column.allowed or known}
    ours |= {theirs: word for word, names in known.items() for theirs in names}
    said = {word: ours[word.lower()] for word in pattern.words if word.lower() in ours}
    return said, [word for word in pattern.words if word not in said]


def read_as(
    column: Column, contract: Contract, name: str, patterns: Mapping[str, Pattern]
) -> tuple[Any, str]:
    """What the profile says of a column beside its name, and a note on what is uncertain of it."""
    pattern = patterns[name]
    if column.type in {"timestamp", "date"} and pattern.kind != "empty":
        return _as_time(name, pattern)
    if column.type in {"decimal", "price"}:
        return _as_money(name, contract, pattern, patterns)
    if column.type == "text":
        return _as_words(column, contract, name, pattern)
    return name, ""


def _as_time(name: str, pattern: Pattern) -> tuple[Any, str]:
    if pattern.kind == "integer":
        return {"from": name, "format": pattern.epoch}, f"; its numbers look like {pattern.epoch}"
    if not pattern.formats:
        return name, ""
    said = pattern.formats[0] if len(pattern.formats) == 1 else list(pattern.formats)
    note = f"; could be {' or '.join(pattern.or_formats)} as well" if pattern.or_formats else ""
    return {"from": name, "format": said}, note


def _as_money(
    name: str, contract: Contract, pattern: Pattern, patterns: Mapping[str, Pattern]
) -> tuple[Any, str]:
    """Whole numbers under a name that says cents are minor units of the file's currency."""
    words = set(snake(name).split("_"))
    is_minor = bool(words & {"cents", "cent", "minor", "pence"}) or "unit_amount" in snake(name)
    if not is_minor or pattern.kind != "integer":
        return name, ""
    currency = next((n for n in patterns if likeness(n, contract, "currency")[0] >= TAKEN), None)
    if currency is not None:
        return {"from": name, "minor_units": currency}, "; whole numbers, taken for minor units"
    return {"from": name, "scale": "0.01"}, "; whole numbers, taken for cents"


def _as_words(column: Column, contract: Contract, name: str, pattern: Pattern) -> tuple[Any, str]:
    said, rest = _word_map(column, contract, pattern)
    if not said or (all(k == v for k, v in said.items()) and not rest):
        return name, ""
    how = {"from": name, "map": said}
    if column.allowed is None:
        return how | {"unlisted": "keep"}, ""
    return how, f"; no word for {', '.join(rest)}" if rest else ""
