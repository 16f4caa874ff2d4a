"""Which account a source's id means at an instant, in plain Python."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

ALWAYS = datetime.min.replace(tzinfo=UTC)


def linked(links: Iterable[Mapping[str, Any]], source: str, name: str, at: datetime) -> str:
    """The account by the last link that had begun, while it lasts; else the id itself.

    Of two that begin together the one that was told later counts.
    """
    begun = [
        (link["valid_from"] or ALWAYS, number, link)
        for number, link in enumerate(links)
        if (link["source"], link["source_account_id"]) == (source, name)
        and (link["valid_from"] is None or link["valid_from"] <= at)
    ]
    if not begun:
        return name
    last = max(begun, key=lambda found: found[:2])[2]
    ended = last["valid_to"] is not None and last["valid_to"] <= at
    return name if ended else str(last["account_id"])
