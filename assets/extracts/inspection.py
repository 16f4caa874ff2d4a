"""Looks at a whole file once, in a stream, before anything of it is loaded.

What makes a file unreadable is found here, where the line is known: encoding, NUL bytes, a
compressed file that is cut off, an empty file. The content hash is of the bytes as they lie there.
"""

import codecs
import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

import zstandard

from assets.extracts.errors import RefusedFileError
from assets.extracts.landing import LandedFile
from assets.extracts.places import place_in

CHUNK = 1 << 20
# A frame may unfold a thousandfold: what is read at once bounds what is held at once.
ZSTD_CHUNK = 1 << 14
DELIMITERS = {",": "','", ";": "';'", "\t": "a tab", "|": "'|'"}
MAGIC = b"PAR1"
COMPRESSED = {"gzip": (b"\x1f\x8b", ".gz"), "zstd": (b"\x28\xb5\x2f\xfd", ".zst")}
_LONGEST_NAME = 100_000


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What one pass over a file says: its hash, size, first record's text, or why it is refused."""

    content_hash: str
    size_bytes: int
    modified_ns: int
    header_text: str = ""
    refusal: str | None = None


class _Tee:
    """A file that hashes what is read from it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._digest.update(data)
        return data

    def hexdigest(self) -> str:
        """The hash of the whole file; reads what nobody has read yet."""
        while self.read(CHUNK):
            pass
        return self._digest.hexdigest()


class _TextCheck:
    """Sees a text file chunk by chunk; knows the line of the first thing that is not text."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._head: list[str] = []
        self._head_size = 0
        self.lines = 0

    def see(self, chunk: bytes, *, final: bool = False) -> None:
        """Raises RefusedFileError at what is packed, a NUL byte or a byte that is not UTF-8."""
        for name, (begins, ending) in COMPRESSED.items():
            if not self._head and chunk.startswith(begins):
                raise RefusedFileError(
                    f"{self._path}: holds {name} where text should be; unpack it, or end its name "
                    f"in {ending}."
                )
        if (position := chunk.find(b"\0")) >= 0:
            raise RefusedFileError(
                f"{self._path}, line {self._line(chunk, position)}: holds a NUL byte, so it is "
                "binary or UTF-16; save it as UTF-8 text."
            )
        pending = len(self._decoder.getstate()[0])
        try:
            text = self._decoder.decode(chunk, final=final)
        except UnicodeDecodeError as error:
            line = self._line(chunk, max(0, error.start - pending))
            raise RefusedFileError(
                f"{self._path}, line {line}: byte 0x{error.object[error.start]:02X} is not UTF-8; "
                "save the file as UTF-8."
            ) from error
        self.lines += chunk.count(b"\n")
        if self._head_size < CHUNK:
            self._head.append(text)
            self._head_size += len(text)

    def _line(self, chunk: bytes, position: int) -> int:
        return self.lines + chunk.count(b"\n", 0, position) + 1

    def head(self) -> str:
        """The first megabyte of text, without the byte order mark."""
        return "".join(self._head).removeprefix("\ufeff")


def inspect(file: LandedFile) -> Inspection:
    """One streaming pass; never raises for what is in the file, but says why it is refused."""
    stat = file.location.stat()
    head, refusal = "", file.refusal
    with file.location.open("rb") as raw:
        tee = _Tee(raw)
        try:
            if refusal is None:
                head = _look(file, tee, stat.st_size)
        except RefusedFileError as error:
            refusal = str(error)
        content_hash = tee.hexdigest()
    return Inspection(
        content_hash=content_hash,
        size_bytes=stat.st_size,
        modified_ns=stat.st_mtime_ns,
        header_text=head,
        refusal=refusal,
    )


def assert_unchanged(file: LandedFile, inspection: Inspection) -> None:
    """Raises RefusedFileError where a file was written to after it was inspected."""
    stat = file.location.stat()
    if (stat.st_size, stat.st_mtime_ns) != (inspection.size_bytes, inspection.modified_ns):
        raise RefusedFileError(
            f"{file.path}: was written to while it was being read; "
            "deliver under another name and rename it when it is whole, then run again."
        )


def _look(file: LandedFile, tee: _Tee, size: int) -> str:
    if size == 0 and file.format == "jsonl":
        return ""
    if size == 0:
        raise RefusedFileError(
            f"{file.path}: the file is empty (0 bytes); deliver it again, "
            "or with its header line alone if there are no rows."
        )
    if file.format == "parquet":
        _look_at_parquet(file, tee)
        return ""
    check = _TextCheck(file.path)
    for chunk in _plain(file, tee, check):
        check.see(chunk)
    check.see(b"", final=True)
    if file.format == "jsonl":
        _look_at_json(file, check.head())
        return ""
    return _header_text(file, check.head())


def _plain(file: LandedFile, tee: _Tee, check: _TextCheck) -> Iterator[bytes]:
    """The text's bytes, chunk by chunk, whatever compresses them."""
    if file.compression == "gzip":
        return _gunzipped(file, tee, check)
    return _unzstd(file, tee, check) if file.compression == "zstd" else _chunks(tee)


def _chunks(tee: _Tee, size: int = CHUNK) -> Iterator[bytes]:
    while chunk := tee.read(size):
        yield chunk


def _gunzipped(file: LandedFile, tee: _Tee, check: _TextCheck) -> Iterator[bytes]:
    try:
        with gzip.GzipFile(fileobj=tee, mode="rb") as unzipped:  # type: ignore[call-overload]
            while chunk := unzipped.read(CHUNK):
                yield chunk
    except EOFError as error:
        raise RefusedFileError(
            f"{file.path}, line {check.lines + 1}: the gzip file is cut off here; "
            "deliver it again, whole."
        ) from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise RefusedFileError(
            f"{file.path}, line {check.lines + 1}: is not a sound gzip file ({error}); "
            "deliver it again, or without .gz in its name if it is plain."
        ) from error


def _unzstd(file: LandedFile, tee: _Tee, check: _TextCheck) -> Iterator[bytes]:
    # Of the library's readers only this one knows whether the last frame came to its end.
    frame = zstandard.ZstdDecompressor().decompressobj()
    try:
        for chunk in _chunks(tee, ZSTD_CHUNK):
            rest = chunk
            while rest:
                if frame.eof:
                    frame = zstandard.ZstdDecompressor().decompressobj()
                yield frame.decompress(rest)
                rest = frame.unused_data if frame.eof else b""
    except zstandard.ZstdError as error:
        raise RefusedFileError(
            f"{file.path}, line {check.lines + 1}: is not a sound zstd file ({error}); "
            "deliver it again, or without .zst in its name if it is plain."
        ) from error
    if not frame.eof:
        raise RefusedFileError(
            f"{file.path}, line {check.lines + 1}: the zstd file is cut off here; "
            "deliver it again, whole."
        )


def _look_at_json(file: LandedFile, head: str) -> None:
    """Refuses JSON that is not one object per line: an array, or objects over several lines."""
    first = next((line.strip() for line in head.split("\n") if line.strip()), "{}")
    if first in {"{", "["} or first.startswith("["):
        raise RefusedFileError(
            f"{file.path}, line 1: is not JSON Lines (it begins with {first[:20]}); "
            "write one JSON object per line, without an array around them."
        )


def _look_at_parquet(file: LandedFile, tee: _Tee) -> None:
    first = last = b""
    for chunk in _chunks(tee):
        first = (first + chunk[:4])[:4]
        last = (last + chunk[-4:])[-4:]
    if (first, last) != (MAGIC, MAGIC):
        raise RefusedFileError(
            f"{file.path}: is not a whole Parquet file (it does not begin and end in PAR1); "
            "deliver it again."
        )


def _header_text(file: LandedFile, head: str) -> str:
    """The text in which the header is; refuses what has no usable first line."""
    line = head.split("\n", maxsplit=1)[0]
    if not line.strip():
        raise RefusedFileError(
            f"{file.path}, line 1: is blank where the header should be; begin with the header line."
        )
    if "\r" in line.removesuffix("\r"):
        raise RefusedFileError(
            f"{file.path}, line 1: the lines end in carriage returns alone; "
            "save the file with LF or CRLF line ends."
        )
    return head


def header(file: LandedFile, text: str, delimiter: str) -> tuple[str, ...]:
    """The column names of a CSV's first record; a column without a name is `column_<n>`.

    Raises:
        RefusedFileError: the first record is no sound CSV.
    """
    try:
        return _split(text, delimiter)
    except csv.Error as error:
        raise RefusedFileError(
            f"{file.path}, line 1: the header cannot be read ({error}); "
            'begin with one line of column names, and write a quote inside a name as "".'
        ) from error


def _split(text: str, delimiter: str) -> tuple[str, ...]:
    rows = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True
    )
    names = next(rows, [])
    # Said here: the csv module's own limit is the whole process's, and some libraries lift it.
    if any(len(name) > _LONGEST_NAME for name in names):
        raise csv.Error(f"a name of more than {_LONGEST_NAME:,} characters")
    return tuple(name.strip() or f"column_{n}" for n, name in enumerate(names, start=1))


def likely_delimiter(text: str, wanted: Iterable[Sequence[str]]) -> str | None:
    """The delimiter under which the header has one of each group of columns, if there is one."""
    for delimiter in DELIMITERS:
        with suppress(csv.Error):
            names = _split(text, delimiter)
            if all(any(place_in(n, names, None) for n in group) for group in wanted):
                return delimiter
    return None
