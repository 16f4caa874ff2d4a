"""Hashes that name things: the same whenever and wherever they are made."""

import hashlib
import json


def digest(parts: object) -> str:
    """The SHA-256 of a value's canonical JSON, as hexadecimal text."""
    canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
