"""Reads the head of a file for a suggestion: its columns as text, whatever its format is."""

import csv
import gzip
import io
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import duckdb
import zstandard

from assets.extracts.errors import ExtractError
from assets.extracts.inspection import DELIMITERS
from assets.extracts.landing import FORMATS

HEAD_ROWS = 50_000
SNIFFED_LINES = 100
OPENERS = {".gz": gzip.open, ".zst": zstandard.open}


@dataclass(frozen=True, kw_only=True)
class Head:
    """The first rows of a file, by column; an empty cell is None. `delimiter` is a CSV's."""

    columns: Mapping[str, Sequence[str | None]]
    rows: int
    delimiter: str | None = None


def read_head(file: Path, *, rows: int = HEAD_ROWS) -> Head:
    """The first rows of a CSV, JSON Lines or Parquet file.

    Raises:
        ExtractError: the file is not there, not of these formats, or cannot be read as its own.
    """
    plain = Path(file.name.lower())
    plain = plain.with_suffix("") if plain.suffix in OPENERS else plain
    kind = FORMATS.get(plain.suffix)
    if kind is None or not file.is_file():
        raise ExtractError(f"{file}: is no .csv, .jsonl or .parquet file; name one of these.")
    try:
        if kind == "parquet":
            return _parquet(file, rows)
        with _opened(file) as text:
            return _csv(text, rows) if kind == "csv" else _json_lines(text, rows)
    except (OSError, EOFError, ValueError, csv.Error, duckdb.Error, zstandard.ZstdError) as error:
        said = " ".join(str(error).split())[:200]
    raise ExtractError(f"{file}: cannot be read ({said}); mend it, or deliver it again.")


def _opened(file: Path) -> TextIO:
    opener: Any = OPENERS.get(file.suffix.lower(), open)
    return io.TextIOWrapper(opener(file, "rb"), encoding="utf-8-sig", newline="")


def _csv(text: TextIO, rows: int) -> Head:
    lines = list(itertools.islice(text, SNIFFED_LINES))
    if not lines:
        raise ValueError("it is empty")
    delimiter = likeliest_delimiter(lines)
    records = csv.reader(itertools.chain(lines, text), delimiter=delimiter)
    names = [name.strip() or f"column_{n}" for n, name in enumerate(next(records), start=1)]
    kept = list(itertools.islice((record for record in records if record), rows))
    by_column = itertools.zip_longest(*(record[: len(names)] for record in kept), fillvalue="")
    cells = [tuple(cell or None for cell in column) for column in by_column]
    cells += [(None,) * len(kept)] * (len(names) - len(cells))
    return Head(columns=dict(zip(names, cells, strict=True)), rows=len(kept), delimiter=delimiter)


def likeliest_delimiter(lines: Sequence[str]) -> str:
    """The delimiter under which most lines have the header's width, and that width is greatest."""

    def fit(delimiter: str) -> tuple[bool, float, int]:
        widths = [len(record) for record in csv.reader(lines, delimiter=delimiter) if record]
        width = widths[0] if widths else 0
        share = sum(w == width for w in widths) / max(1, len(widths))
        return width > 1 and share > 0.5, round(share, 1), width

    return max(DELIMITERS, key=fit)


def _json_lines(text: TextIO, rows: int) -> Head:
    objects = [json.loads(line) for line in itertools.islice(text, rows) if line.strip()]
    flat = [dict(_leaves("", each)) for each in objects if isinstance(each, dict)]
    if not flat:
        raise ValueError("it holds no JSON object per line")
    return _by_name(flat)


def _leaves(path: str, value: Any) -> Iterator[tuple[str, str | None]]:
    """An object's values by their paths, `a.b`; an array stays JSON text."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _leaves(f"{path}.{name}" if path else name, inner)
    else:
        yield path, _text(value)


def _text(value: Any) -> str | None:
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else json.dumps(value)


def _by_name(flat: Sequence[Mapping[str, str | None]]) -> Head:
    names: Iterable[str] = dict.fromkeys(name for each in flat for name in each)
    columns = {name: tuple(each.get(name) for each in flat) for name in names}
    return Head(columns=columns, rows=len(flat))


def _parquet(file: Path, rows: int) -> Head:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        relation = connection.execute(
            "select columns(*)::varchar from read_parquet(?, hive_partitioning = false) limit ?",
            [str(file), rows],
        )
        names = [column[0] for column in relation.description or ()]
        found = relation.fetchall()
    cells = list(zip(*found, strict=True)) or [()] * len(names)
    return Head(columns=dict(zip(names, cells, strict=True)), rows=len(found))
