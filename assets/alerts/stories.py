"""What a person is told: what, who, why with numbers and trend, since when, what to do, a link."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from assets.alerts.rules import RANKS
from assets.alerts.transitions import number

OVER = "Over"
_BARS = "▁▂▃▄▅▆▇█"
_KINDS = {
    "opened": "New",
    "resolved": OVER,
    "snooze_ended": "Again",
    "reminder": "Reminder",
    "escalate": "Escalation",
    "notify": "Note",
    "webhook": "Note",
}
COLOURS = {"critical": "#b3261e", "warning": "#b26a00", "info": "#1f5fa8", "over": "#2e7d32"}


@dataclass(frozen=True, kw_only=True)
class Story:
    """One alert, told; every text is plain, and each channel escapes it in its own way."""

    kind: str
    severity: str
    title: str
    facts: tuple[tuple[str, str], ...]
    link: str | None

    @property
    def headline(self) -> str:
        """What it is, in one line."""
        return f"{self.kind} ({self.severity}): {self.title}" if self.severity else self.title

    @property
    def colour(self) -> str:
        """The colour of its severity; green where it is over."""
        return COLOURS["over" if self.kind == OVER else self.severity or "info"]


def stories_of(payloads: Sequence[dict[str, Any]], link: str) -> list[Story]:
    """Stories in a reader's order: the severest first, what is over last."""
    stories = [story_of(payload, link) for payload in payloads]
    return sorted(stories, key=lambda story: (story.kind == OVER, -RANKS.get(story.severity, 0)))


def story_of(payload: dict[str, Any], link: str) -> Story:
    """Reads a payload; what it doesn't hold is left out.

    Args:
        payload: what the outbox holds.
        link: address of an account, with `{account_id}`; empty for none.
    """
    account = payload.get("account_id")
    facts = [
        ("Account", _account(payload)),
        _scope(payload),
        ("Looked after by", payload.get("csm_name")),
        ("Why", _why(payload)),
        ("Trend", _trend(payload)),
        ("Since", _since(payload)),
        ("What to do", payload.get("what_to_do")),
    ]
    return Story(
        kind=_KINDS.get(str(payload.get("transition")), "Report"),
        severity=str(payload.get("severity") or ""),
        title=_one_line(payload.get("title") or _named(payload, payload.get("sentence"))),
        facts=tuple((name, _one_line(text)) for name, text in facts if text),
        link=link.replace("{account_id}", quote(str(account), safe=""))
        if link and account
        else None,
    )


def subject_of(stories: Sequence[Story]) -> str:
    """The subject of a mail: the story itself, or how many of which severity, and how many over."""
    if len(stories) == 1:
        return stories[0].headline
    going_on = [story for story in stories if story.kind != OVER]
    counts = {name: sum(story.severity == name for story in going_on) for name in COLOURS}
    counts[OVER.lower()] = len(stories) - len(going_on)
    parts = [f"{count} {name}" for name, count in counts.items() if count]
    return f"{len(stories)} alerts: {', '.join(parts)}"


def sparkline(values: Sequence[float | None]) -> str:
    """The values as bars between their least and their most; a point where there is none."""
    known = [value for value in values if value is not None]
    if not known:
        return ""
    low, spread = min(known), (max(known) - min(known)) or 1.0
    return "".join(
        "·" if value is None else _BARS[round((value - low) / spread * (len(_BARS) - 1))]
        for value in values
    )


def _account(payload: dict[str, Any]) -> str | None:
    name, account_id = payload.get("account_name"), payload.get("account_id")
    return f"{name} ({account_id})" if name else account_id


def _scope(payload: dict[str, Any]) -> tuple[str, str]:
    """The module, feature or event that it is about."""
    kind, _, name = str(payload.get("scope") or "").partition(":")
    return kind.capitalize(), name


def _why(payload: dict[str, Any]) -> str | None:
    reason = _named(payload, payload.get("reason"))
    if not reason:
        return str(payload["sentence"]) if payload.get("title") else None
    return reason[:1].upper() + reason[1:]


def _named(payload: dict[str, Any], text: object) -> str:
    """A text in which metric and rule are called as a person calls them."""
    named = str(text or "")
    metric, rule = payload.get("metric"), payload.get("rule")
    if metric and payload.get("metric_name"):
        named = named.replace(str(metric), str(payload["metric_name"]))
    return named.replace(str(rule), str(rule).replace("_", " ")) if rule else named


def _trend(payload: dict[str, Any]) -> str | None:
    values = payload.get("trend") or []
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return None
    unit = payload.get("unit")
    first, last = number(known[0], unit), number(known[-1], unit)
    return f"{sparkline(values)} {first} to {last} in {len(values)} days"


def _since(payload: dict[str, Any]) -> str | None:
    since = payload.get("held_since") or payload.get("opened_on")
    return f"{since}, told on {payload['day']}" if since and payload.get("day") else None


def _one_line(text: object) -> str:
    return " ".join(str(text or "").split())
