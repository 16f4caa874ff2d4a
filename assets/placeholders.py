"""Placeholders in what a person writes, such as `{account}`: filled in, and never executed."""

import re
from collections.abc import Sequence


def check_placeholders(text: str, allowed: Sequence[str]) -> str:
    """A text whose placeholders are all known.

    Raises:
        ValueError: one is not; the message names it and what is allowed.
    """
    unknown = [name for name in re.findall(r"{([^}]*)}", text) if name not in allowed]
    if unknown:
        names = ", ".join(f"{{{name}}}" for name in allowed)
        raise ValueError(f"{{{unknown[0]}}} is not a placeholder; allowed are {names}")
    return text
