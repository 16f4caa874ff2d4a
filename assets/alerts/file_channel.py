"""The `file` channel: appends what is told to a JSON Lines file, each idempotency key once."""

import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

KEY = "idempotency_key"


def append_payloads(path: Path, payloads: list[dict[str, Any]]) -> int:
    """Appends the payloads whose key the file doesn't hold yet, and waits until they are on disk.

    A last line without an end was torn by a kill: it was never told, is cut off and written anew.
    The file is locked meanwhile, so that two deliveries at once don't both write a key.

    Returns:
        How many lines were written.

    Raises:
        OSError: the file can't be written.
    """
    is_new = not path.exists()
    with path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        told = set(_keys_of_whole_lines(file))
        lines = [_line(payload) for payload in payloads if payload[KEY] not in told]
        file.write(b"".join(lines))
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        _sync_folder(path.parent)
    return len(lines)


def _keys_of_whole_lines(file: BinaryIO) -> Iterator[str]:
    file.seek(0)
    end = 0
    for line in file:
        if not line.endswith(b"\n"):
            break
        end += len(line)
        key = _key(line)
        if key is not None:
            yield key
    file.truncate(end)


def _key(line: bytes) -> str | None:
    """The key of a line; none if a person put something else there."""
    try:
        payload = json.loads(line)
    except ValueError:
        return None
    return payload.get(KEY) if isinstance(payload, dict) else None


def _line(payload: dict[str, Any]) -> bytes:
    return json.dumps(payload, ensure_ascii=False).encode() + b"\n"


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
