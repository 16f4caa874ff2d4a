"""How much a file's column name looks like a contract's column, by `synonyms.yml`."""

import re
from collections.abc import Mapping
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field

from assets.extracts.contracts import Contract

FILE = Path(__file__).parent / "synonyms.yml"
SAME, OF_THE_TABLE, OF_ANY_TABLE, PREFIXED, ALIKE = 1.0, 0.95, 0.85, 0.1, 0.75
NEARLY = 0.85


class TableNames(BaseModel):
    """What files of a table and its columns are called elsewhere, the better names first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    files: tuple[str, ...] = ()
    columns: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)


class Synonyms(BaseModel):
    """`synonyms.yml`; see there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prefixes: tuple[str, ...]
    empty_words: frozenset[str]
    null_words: frozenset[str]
    together: Mapping[str, tuple[str, ...]]
    columns: Mapping[str, tuple[str, ...]]
    tables: Mapping[str, TableNames]
    constants: Mapping[str, str]
    stand_ins: Mapping[str, tuple[str, ...]]
    priced_by: Mapping[str, Mapping[str, str]]
    flags: Mapping[str, Mapping[str, Mapping[str, str]]]
    words: Mapping[str, Mapping[str, tuple[str, ...]]]


@cache
def load_synonyms() -> Synonyms:
    """The synonyms that are shipped."""
    return Synonyms.model_validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))


def snake(name: str) -> str:
    """`CustomerID`, `customer-id` and `customer.id` as `customer_id`."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return re.sub(r"[^a-z0-9]+", "_", parted.lower()).strip("_")


def likeness(name: str, contract: Contract, column: str) -> tuple[float, str]:
    """How sure it is, from 0 to 1, that a file's column is the contract's, and why."""
    said = snake(name)
    plain = _without_prefix(said, contract)
    options = [_known(said, contract, column), _alike(plain, column)]
    if plain != said:
        score, why = _known(plain, contract, column)
        options.append((max(0.0, score - PREFIXED), why))
    return max(options)


def _without_prefix(name: str, contract: Contract) -> str:
    """A name without what a vendor or the table's own name puts before it."""
    for prefix in (*load_synonyms().prefixes, contract.table.removesuffix("s"), contract.table):
        if name.startswith(f"{prefix}_") and name != f"{prefix}_id":
            return name.removeprefix(f"{prefix}_")
    return name


def _known(name: str, contract: Contract, column: str) -> tuple[float, str]:
    synonyms = load_synonyms()
    if name == column:
        return SAME, "the same name"
    own = synonyms.tables.get(contract.name, TableNames()).columns.get(column, ())
    for names, score in ((own, OF_THE_TABLE), (synonyms.columns.get(column, ()), OF_ANY_TABLE)):
        if name in names:
            return score - 0.01 * names.index(name), "a known name for it"
    return 0.0, ""


def _alike(name: str, column: str) -> tuple[float, str]:
    """Shared words, or nearly the same letters."""
    empty = load_synonyms().empty_words
    left, right = set(name.split("_")) - empty, set(column.split("_")) - empty
    shared = 2 * len(left & right) / (len(left) + len(right)) if left and right else 0.0
    if not shared:
        return 0.0, ""
    letters = SequenceMatcher(None, name, column).ratio()
    return ALIKE * max(shared, letters if letters > NEARLY else 0.0), "a similar name"


def file_hint(path: Path, table: str) -> float:
    """1 where the last words of a file's name are a name of the table, 0.6 where any are."""
    parts = [snake(p.split(".")[0]) for p in path.parts[-3:] if not p.startswith("dt=")]
    said = [word.removesuffix("s") for part in parts for word in part.split("_")]
    names = load_synonyms().tables.get(table, TableNames()).files
    return max((_hint(said, name.split("_")) for name in names), default=0.0)


def _hint(said: list[str], words: list[str]) -> float:
    wanted = [word.removesuffix("s") for word in words]
    places = [n for n in range(len(said)) if said[n : n + len(wanted)] == wanted]
    if not places:
        return 0.0
    return 1.0 if places[-1] + len(wanted) == len(said) else 0.6
