"""Slack messages: Block Kit for an incoming webhook."""

from typing import Any

from assets.alerts.stories import OVER, Story, subject_of

_SIGNS = {"critical": "🔴", "warning": "🟠", "info": "🔵"}
_MOST = 15  # Slack takes 50 blocks, and a story has up to three
_LONGEST = 2900  # and 3,000 characters in a text


def message_of(stories: list[Story]) -> dict[str, Any]:
    """One message of one story or of a digest; a long digest says how many it leaves out."""
    blocks: list[dict[str, Any]] = []
    if len(stories) > 1:
        text = {"type": "plain_text", "text": subject_of(stories)[:150]}
        blocks.append({"type": "header", "text": text})
    for story in stories[:_MOST]:
        blocks += _blocks(story)
    if len(stories) > _MOST:
        blocks.append(_context(f"and {len(stories) - _MOST} more: csw alerts list"))
    return {"text": _escaped(subject_of(stories)), "blocks": blocks}


def _blocks(story: Story) -> list[dict[str, Any]]:
    sign = "🟢" if story.kind == OVER else _SIGNS.get(story.severity, "⚪")
    facts = "\n".join(f"*{name}:* {_escaped(text)}" for name, text in story.facts)
    text = f"{sign} *{_escaped(story.title)}*\n{facts}"
    found: list[dict[str, Any]] = [
        {"type": "section", "text": {"type": "mrkdwn", "text": text[:_LONGEST]}}
    ]
    if story.link:
        found[0]["accessory"] = {
            "type": "button",
            "text": {"type": "plain_text", "text": "Open account"},
            "url": story.link,
        }
    kind = f"{story.kind} · {story.severity}" if story.severity else story.kind
    return [*found, _context(kind), {"type": "divider"}]


def _context(text: str) -> dict[str, Any]:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": _escaped(text)}]}


def _escaped(text: str) -> str:
    """Slack's three characters: an account called <!channel> would wake everybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
