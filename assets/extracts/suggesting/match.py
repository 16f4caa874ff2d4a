"""Which table a file is, and which of its columns are the contract's: guesses with their reasons.

A guess weighs a name against what the values look like; a column is given away once per table.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from assets.extracts.contracts import Contract
from assets.extracts.suggesting.columns import TAKEN, fits, read_as
from assets.extracts.suggesting.head import Head
from assets.extracts.suggesting.names import file_hint, likeness, load_synonyms, snake
from assets.extracts.suggesting.values import Pattern

SURE = 0.9
UNSURE = 0.85
KEY_PARTS = 3


@dataclass(frozen=True, kw_only=True)
class Guess:
    """Where one contract column comes from, as a profile says it, how sure that is, and why."""

    how: Any
    score: float
    why: str
    uses: tuple[str, ...] = ()

    @property
    def is_sure(self) -> bool:
        """True where a person need not look at it first."""
        return self.score >= SURE


@dataclass(frozen=True, kw_only=True)
class Match:
    """One contract table with the guesses for its columns, and how well a file fits it."""

    contract: Contract
    guesses: Mapping[str, Guess]
    score: float

    @property
    def missing(self) -> tuple[str, ...]:
        """The required columns for which there is no guess."""
        return tuple(
            c.name for c in self.contract.columns if c.required and c.name not in self.guesses
        )


def match(path: Path, head: Head, patterns: Mapping[str, Pattern], contract: Contract) -> Match:
    """The best guesses that a file makes for one contract table."""
    guesses = _by_name(patterns, contract)
    found = {name for guess in guesses.values() for name in guess.uses}
    score = _fit(path, patterns, contract, guesses)
    guesses |= _flags(patterns, contract, guesses)
    guesses |= _keys(head, patterns, contract, guesses, found)
    guesses |= _constants(contract, guesses)
    guesses |= _stand_ins(patterns, contract, guesses)
    ordered = {c: guesses[c] for c in contract.column_names if c in guesses}
    return Match(contract=contract, guesses=ordered, score=score)


def completed(found: Match, by: Match) -> Match:
    """A companion table's guesses, with those of the first for what it lacks: ids above all."""
    key, first_key = found.contract.key[0], by.contract.key[0]
    lent = {c: by.guesses[c] for c in found.missing if c in by.guesses}
    own = found.guesses.get(key)
    if first_key in by.guesses and (own is None or own.how == {"row_hash": True}):
        lent[key] = replace(by.guesses[first_key], score=0.5, why=f"as {by.contract.name} has it")
    guesses = {**found.guesses, **lent}
    ordered = {c: guesses[c] for c in found.contract.column_names if c in guesses}
    return replace(found, guesses=ordered)


def _by_name(patterns: Mapping[str, Pattern], contract: Contract) -> dict[str, Guess]:
    """The likeliest pairs of columns first; a file's column twice only under a sure name."""
    pairs = []
    for (name, pattern), column in itertools.product(patterns.items(), contract.columns):
        score, why = likeness(name, contract, column.name)
        fit = fits(column, contract, pattern)
        if score * fit >= TAKEN:
            pairs.append((score * fit, column, name, why))
    guesses: dict[str, Guess] = {}
    taken: set[str] = set()
    for score, column, name, why in sorted(pairs, key=lambda pair: -pair[0]):
        if column.name not in guesses and (name not in taken or score >= SURE):
            how, note = read_as(column, contract, name, patterns)
            sure = min(score, UNSURE) if note else score
            guesses[column.name] = Guess(how=how, score=sure, why=f"{why}{note}", uses=(name,))
            taken.add(name)
    return guesses


def _flags(
    patterns: Mapping[str, Pattern], contract: Contract, guesses: Mapping[str, Guess]
) -> dict[str, Guess]:
    """Text columns that a yes or no of the file tells."""
    made: dict[str, Guess] = {}
    by_name = {snake(name): name for name, pattern in patterns.items() if pattern.is_flag}
    for place, flags in load_synonyms().flags.items():
        table, _, column = place.rpartition(".")
        name = next((by_name[flag] for flag in flags if flag in by_name), None)
        if table == contract.name and column not in guesses and name is not None:
            words = flags[snake(name)]
            truths = {
                word: words["true" if word.lower() in {"true", "t", "yes", "y", "1"} else "false"]
                for word in patterns[name].words
            }
            made[column] = Guess(
                how={"from": name, "map": truths}, score=0.7, why="a flag", uses=(name,)
            )
    return made


def _keys(
    head: Head,
    patterns: Mapping[str, Pattern],
    contract: Contract,
    guesses: Mapping[str, Guess],
    found: set[str],
) -> dict[str, Guess]:
    """An id for rows that have none of their own: columns that tell them apart, else their hash."""
    (key, *more) = contract.key
    if more and key in guesses:
        return {}
    if key in guesses:
        (name,) = guesses[key].uses
        if patterns[name].is_unique or contract.is_entity:
            return {}
        why = f"{name} is not unique, and equal ids are duplicates"
        return {key: Guess(how={"row_hash": True}, score=0.7, why=why)}
    if not contract.is_entity:
        return {key: Guess(how={"row_hash": True}, score=0.7, why="no column is an id")}
    if not key.endswith("_id") or contract.column(key).references:
        return {}
    return _composed(head, patterns, key, found)


def _composed(
    head: Head, patterns: Mapping[str, Pattern], key: str, found: set[str]
) -> dict[str, Guess]:
    whole = [n for n in patterns if n in found and patterns[n].filled == head.rows]
    for size in range(1, KEY_PARTS + 1):
        for names in itertools.combinations(whole, size):
            if len(set(zip(*(head.columns[n] for n in names), strict=True))) == head.rows:
                how = names[0] if size == 1 else list(names)
                why = "no column is an id; these tell the rows apart"
                return {key: Guess(how={"from": how}, score=0.6, why=why, uses=names)}
    return {key: Guess(how={"row_hash": True}, score=0.3, why="no columns tell the rows apart")}


def _constants(contract: Contract, guesses: Mapping[str, Guess]) -> dict[str, Guess]:
    """Values for required columns that the file does not have, and those that a price implies."""
    synonyms = load_synonyms()
    made: dict[str, Guess] = {}
    price = guesses.get("price")
    words = set(snake(price.uses[0]).split("_")) if price is not None else set()
    for kind, implied in synonyms.priced_by.items():
        if kind in words:
            why = f"the price is named {kind}"
            made |= {c: Guess(how={"constant": v}, score=0.8, why=why) for c, v in implied.items()}
    for column in contract.columns:
        said = synonyms.constants.get(f"{contract.name}.{column.name}")
        if said is not None and column.name not in {*guesses, *made}:
            why = "no column of the file looks like it"
            made[column.name] = Guess(how={"constant": said}, score=0.3, why=why)
    return made


def _stand_ins(
    patterns: Mapping[str, Pattern], contract: Contract, guesses: Mapping[str, Guess]
) -> dict[str, Guess]:
    """Columns that may serve where a required one has nothing better."""
    made: dict[str, Guess] = {}
    by_name = {snake(name): name for name in patterns}
    for column in contract.columns:
        names = load_synonyms().stand_ins.get(f"{contract.name}.{column.name}", ())
        name = next((by_name[each] for each in names if each in by_name), None)
        if column.name not in guesses and name is not None:
            why = "nothing better is there; is it the same, or does it need crm.account_links?"
            made[column.name] = Guess(how=name, score=0.4, why=why, uses=(name,))
    return made


def _fit(
    path: Path,
    patterns: Mapping[str, Pattern],
    contract: Contract,
    guesses: Mapping[str, Guess],
) -> float:
    """How well a file fits a table: what is required of it, how much is told, the file's name."""
    synonyms = load_synonyms()
    needed = [
        column.name
        for column in contract.columns
        if column.required and f"{contract.name}.{column.name}" not in synonyms.constants
    ]
    scores: Sequence[float] = [guesses[c].score if c in guesses else 0.0 for c in needed]
    required = sum(scores) / max(1, len(scores))
    used = {name for guess in guesses.values() for name in guess.uses}
    explained = len(used) / max(1, len(patterns))
    return 0.45 * required + 0.25 * explained + 0.3 * file_hint(path, contract.name)
