"""The `file` channel: appends what is told to a file, each idempotency key once.

By the file's name it is JSON Lines with all that a receiver is told, or CSV with what a person
reads of it.
"""

import csv
import fcntl
import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

KEY = "idempotency_key"
CSV = ".csv"
COLUMNS = (
    KEY, "kind", "day", "transition", "severity", "account_id", "account_name", "csm_name", "scope",
    "rule", "title", "sentence", "reason", "what_to_do", "value", "threshold", "alert_id",
    "release_id",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Payload = dict[str, Any]


def append_payloads(path: Path, payloads: list[Payload]) -> int:
    """Appends the payloads whose key the file doesn't hold yet, and waits until they are on disk.

    A last line without an end was torn by a kill: it was never told, is cut off and written anew.
    The file is locked meanwhile, so that two deliveries at once don't both write a key.

    Returns:
        How many were written.

    Raises:
        OSError: the file can't be written.
    """
    is_csv = path.suffix == CSV
    is_new = not path.exists()
    with path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        told = set(_keys_of_whole_lines(file, _key_of_row if is_csv else _key_of_object))
        new = [payload for payload in payloads if payload[KEY] not in told]
        if is_csv and new and file.tell() == 0:
            file.write(_csv_line(COLUMNS))
        file.write(b"".join(_row(payload) if is_csv else _object(payload) for payload in new))
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        _sync_folder(path.parent)
    return len(new)


def _keys_of_whole_lines(file: BinaryIO, key_of: Callable[[bytes], str | None]) -> Iterator[str]:
    """The keys of the lines that are whole; what comes after them is cut off."""
    file.seek(0)
    end = 0
    for line in file:
        if not line.endswith(b"\n"):
            break
        end += len(line)
        key = key_of(line)
        if key is not None:
            yield key
    file.truncate(end)
    file.seek(end)


def _key_of_object(line: bytes) -> str | None:
    """The key of a line; none if a person put something else there."""
    try:
        payload = json.loads(line)
    except ValueError:
        return None
    return payload.get(KEY) if isinstance(payload, dict) else None


def _key_of_row(line: bytes) -> str:
    return line.decode("utf-8", "replace").partition(",")[0]


def _object(payload: Payload) -> bytes:
    return json.dumps(payload, ensure_ascii=False).encode() + b"\n"


def _row(payload: Payload) -> bytes:
    return _csv_line(tuple(_cell(payload.get(name)) for name in COLUMNS))


def _csv_line(cells: tuple[str, ...]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue().encode()


def _cell(value: object) -> str:
    """A value in one line, which no spreadsheet takes for a formula."""
    if value is None or isinstance(value, int | float):
        return "" if value is None else str(value)
    text = " ".join(str(value).split())
    return f"'{text}" if text.startswith(_FORMULA) else text


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
