"""Which version of a row counts at the as-of instant, in plain Python.

Source: the project's spec 00 ("What dates a row", "When a row is known", invariant 13) and the
README's decisions; shares no code with the product.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any


def is_told(row: Mapping[str, Any], as_of: datetime) -> bool:
    """Whether a version is from before the as-of instant: as changed, else as delivered."""
    version, updated = row.get("_version_at"), row.get("updated_at")
    if version is not None and version == updated:
        return bool(version < as_of)
    delivered = version or row.get("_known_at")
    return delivered is None or bool(delivered <= as_of)
