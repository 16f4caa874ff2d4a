"""Cuts a text into records and knows the line of each: the slow path, for files with bad rows.

DuckDB reads files that keep RFC 4180, or JSON Lines, to the letter. Where one does not, or where a
row breaks a rule, this finds the records by the same rules, so that a bad row is set aside with its
line and text and every good row goes in.
"""

import gzip
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, cast

import zstandard

from assets.extracts.errors import RefusedFileError
from assets.extracts.landing import LandedFile

LONGEST = 2_000_000
MOST_UNCLOSED = 100
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its number (from 1, header not counted), first line, bytes, what is wrong."""

    number: int
    line: int
    text: bytes
    problem: str | None


class _Lines:
    """Physical lines with their numbers, and the means to go back to some of them."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._number = 0
        self._returned: list[tuple[int, bytes]] = []

    def next(self) -> tuple[int, bytes] | None:
        if self._returned:
            return self._returned.pop(0)
        line = self._file.readline(LONGEST + 1)
        if not line:
            return None
        self._number += 1
        if self._number == 1:
            line = line.removeprefix(BOM)
        while len(line) > LONGEST and not line.endswith(b"\n"):
            rest = self._file.readline(LONGEST + 1)
            line = line[:LONGEST] + b"\n" if not rest or rest.endswith(b"\n") else line
        return self._number, line

    def go_back(self, lines: list[tuple[int, bytes]]) -> None:
        self._returned = lines + self._returned


class _Cutter:
    """Cuts lines into records of one delimiter and width."""

    def __init__(self, lines: _Lines, path: str, delimiter: str, width: int) -> None:
        self._lines = lines
        self._path = path
        self._delimiter = delimiter.encode()
        self._width = width
        sign = re.escape(self._delimiter)
        self._field = re.compile(
            rb' *+"(?:[^"]|"")*+" *+(?=' + sign + rb'|\Z)|[^"' + sign + rb"][^" + sign + rb"]*+|"
        )
        self._unclosed = 0

    def cut(self) -> tuple[int, bytes, str | None] | None:
        """The next record's line, bytes and problem; None at the end."""
        while (here := self._lines.next()) is not None:
            line, raw = here
            body = _without_newline(raw)
            if body:
                return self._record(line, body, raw)
        return None

    def _record(self, line: int, body: bytes, raw: bytes) -> tuple[int, bytes, str | None]:
        if len(body) >= LONGEST:
            return line, body, f"the row is longer than {LONGEST} bytes"
        if b'"' not in body:
            return line, body, self._problem(body, body.count(self._delimiter) + 1)
        return self._quoted(line, body, raw)

    def _quoted(self, line: int, body: bytes, raw: bytes) -> tuple[int, bytes, str | None]:
        taken: list[tuple[int, bytes]] = []
        whole, record = raw, body
        while (width := self._fields(record)) is None:
            following = self._lines.next()
            taken += [] if following is None else [following]
            if following is None or len(whole) + len(following[1]) > LONGEST:
                self._lines.go_back(taken)
                return line, body, self._unclosed_quote(line)
            whole += following[1]
            record = _without_newline(whole) if b'"' in following[1] else record
        if width == 0:
            self._lines.go_back(taken)
            return line, body, "there is text after a closing quote"
        return line, record, self._problem(record, width)

    def _fields(self, record: bytes) -> int | None:
        """How many fields; None where a quote is still open, 0 where text follows a quote."""
        position, fields = 0, 0
        while True:
            match = self._field.match(record, position)
            end = position if match is None else match.end()
            fields += 1
            if end == len(record):
                return fields
            if record[end : end + 1] != self._delimiter:
                return 0 if self._is_closed(record, end) else None
            position = end + 1

    def _is_closed(self, record: bytes, start: int) -> bool:
        return re.compile(rb'"(?:[^"]|"")*+"').match(record, start) is not None

    def _problem(self, record: bytes, width: int) -> str | None:
        if width == self._width or (width == self._width + 1 and record.endswith(self._delimiter)):
            bare = b"\r" in record and b'"' not in record
            return "a carriage return stands inside the row" if bare else None
        return f"the row has {width} fields where the header has {self._width}"

    def _unclosed_quote(self, line: int) -> str:
        self._unclosed += 1
        if self._unclosed > MOST_UNCLOSED:
            raise RefusedFileError(
                f"{self._path}, line {line}: the {self._unclosed}th quote that is opened and never "
                'closed; write a quote inside a value as "".'
            )
        return "a quote is opened and never closed"


def _without_newline(raw: bytes) -> bytes:
    return raw.removesuffix(b"\n").removesuffix(b"\r")


def read_csv_records(file: LandedFile, *, delimiter: str, width: int) -> Iterator[Record]:
    """The records of a CSV in order, without header and blank lines; streams."""
    with _opened(file) as raw:
        cutter = _Cutter(_Lines(raw), file.path, delimiter, width)
        number = -1
        while (cut := cutter.cut()) is not None:
            number += 1
            if number:
                yield Record(number, *cut)


def read_json_records(file: LandedFile) -> Iterator[Record]:
    """The records of a JSON Lines file in order, without blank lines; streams."""
    with _opened(file) as raw:
        lines = _Lines(raw)
        number = 0
        while (here := lines.next()) is not None:
            line, text = here[0], here[1].strip()
            if text:
                number += 1
                yield Record(number, line, text, _json_problem(text))


def _json_problem(text: bytes) -> str | None:
    """What keeps a line from being one JSON object with each key once."""
    if len(text) >= LONGEST:
        return f"the row is longer than {LONGEST} bytes"
    try:
        found = json.loads(text, object_pairs_hook=_each_key_once)
        # A half of a surrogate pair is no character.
        json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        said = str(error).split(":")[0] if isinstance(error, json.JSONDecodeError) else str(error)
        return f"the line is not one JSON object ({said[:80]})"
    return None if isinstance(found, dict) else "the line holds JSON, but no object"


def _each_key_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice} is there twice")
    return found


def _opened(file: LandedFile) -> IO[bytes]:
    """The file's text as bytes, whatever compresses it."""
    if file.compression == "gzip":
        return cast(IO[bytes], gzip.open(file.location, "rb"))
    raw = file.location.open("rb")
    if file.compression == "zstd":
        reader = zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True)
        return io.BufferedReader(cast(io.RawIOBase, reader))
    return raw
