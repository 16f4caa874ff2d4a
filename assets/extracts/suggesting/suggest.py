"""Proposes a profile for a file, which a person then edits.

Names are compared with the contracts' and with `synonyms.yml`, values by what they look like.
Whatever is not certain carries a comment with its confidence and the reason.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from assets.extracts.contracts import Contract, load_contracts
from assets.extracts.errors import ExtractError
from assets.extracts.suggesting.head import Head, read_head
from assets.extracts.suggesting.match import Guess, Match, completed, match
from assets.extracts.suggesting.names import load_synonyms
from assets.extracts.suggesting.values import Pattern, pattern_of

ENOUGH = 0.5


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """A proposed profile.

    `tables` are the contract tables that the file is taken for, none where it fits none;
    `columns` holds the guesses by table and column; `text` is the profile's YAML.
    """

    file: Path
    tables: tuple[str, ...]
    columns: Mapping[str, Mapping[str, Guess]]
    text: str


def suggest_profile(file: Path, *, table: str | None = None) -> Suggestion:
    """Reads the head of a file and proposes the profile under which it loads.

    Args:
        file: a CSV with any usual delimiter, JSON Lines or Parquet.
        table: the contract table that the file is; guessed where it is not said.

    Raises:
        ExtractError: the file cannot be read, or there is no such table.
    """
    contracts = load_contracts()
    if table is not None and table not in contracts:
        raise ExtractError(f"{table} is no contract table; there are {', '.join(contracts)}.")
    head = read_head(file)
    null_words = load_synonyms().null_words
    patterns = {n: pattern_of(c, null_words=null_words) for n, c in head.columns.items()}
    asked = [contracts[table]] if table is not None else list(contracts.values())
    fits = sorted((match(file, head, patterns, c) for c in asked), key=lambda m: -m.score)
    taken = [fits[0]] if table is not None or fits[0].score >= ENOUGH else []
    taken += [more for one in taken for more in _companions(one, file, head, patterns)]
    return Suggestion(
        file=file,
        tables=tuple(found.contract.name for found in taken),
        columns={found.contract.name: found.guesses for found in taken},
        text="\n".join(_profile(file, head, patterns, taken, fits[0])) + "\n",
    )


def _companions(
    first: Match, file: Path, head: Head, patterns: Mapping[str, Pattern]
) -> Iterator[Match]:
    """Other tables that the same file feeds: those for which nothing required is missing."""
    contracts: Mapping[str, Contract] = load_contracts()
    for name in load_synonyms().together.get(first.contract.name, ()):
        if name in contracts:
            found = completed(match(file, head, patterns, contracts[name]), first)
            if not found.missing:
                yield found


def _profile(
    file: Path, head: Head, patterns: Mapping[str, Pattern], taken: list[Match], best: Match
) -> Iterator[str]:
    yield f"# Proposed from the first {head.rows} rows of {file.name}: look at every comment."
    yield f"name: {_scalar(file.stem.split('.')[0] or 'proposed')}"
    yield f"description: {_scalar(f'Proposed for {file.name}.')}"
    if head.delimiter not in {None, ","}:
        yield f"delimiter: {_scalar(head.delimiter)}"
    nulls = dict.fromkeys(word for pattern in patterns.values() for word in pattern.null_words)
    if nulls:
        yield f"null_values: {_scalar(list(nulls))}"
    if not taken:
        yield f"# No table fits well; the likeliest is {best.contract.name} ({best.score:.2f})."
        yield "tables: {}"
        return
    yield "tables:"
    for found in taken:
        yield from _table(file, patterns, found)


def _table(file: Path, patterns: Mapping[str, Pattern], found: Match) -> Iterator[str]:
    yield f"  {found.contract.name}:  # fits {found.score:.2f}"
    yield f"    files: {_scalar(file.name)}"
    yield "    columns:"
    for column in found.contract.columns:
        guess = found.guesses.get(column.name)
        if guess is not None:
            remark = "" if guess.is_sure else f"  # {guess.score:.2f}: {guess.why}"
            yield f"      {column.name}: {_scalar(guess.how)}{remark}"
        elif column.required:
            yield f"      {column.name}: null  # required, and nothing in the file looks like it"
        elif column.name in patterns:
            yield f"      {column.name}: null  # the values don't look like it"
    used = {name for guess in found.guesses.values() for name in guess.uses}
    rest = [name for name in patterns if name not in used]
    if rest:
        yield f"    # kept in _extras: {', '.join(rest)}"


def _scalar(value: Any) -> str:
    """A value as YAML on one line."""
    text = yaml.safe_dump(
        [value], default_flow_style=True, width=10**9, sort_keys=False, allow_unicode=True
    )
    return text.strip()[1:-1]
