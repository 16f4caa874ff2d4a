"""Slack messages: Block Kit for an incoming webhook, within what Slack takes."""

import re
from typing import Any

from assets.alerts.stories import OVER, Story, subject_of

_SIGNS = {"critical": "🔴", "warning": "🟠", "info": "🔵"}
# Slack takes 50 blocks; 3,000 characters in a text or an address, 150 in a header.
_MOST_STORIES = 23
_LONGEST_TEXT = 3000
_LONGEST_HEADER = 150
_LONGEST_LINK = 3000
_HALF_ESCAPED = re.compile(r"&[a-z]{0,3}$")


def message_of(stories: list[Story]) -> dict[str, Any]:
    """One message: of one story all that is known of it, of a digest the essence of each.

    A long digest says how many it leaves out.
    """
    subject = subject_of(stories)
    if len(stories) == 1:
        blocks = [_section(stories[0], _facts(stories[0]))]
    else:
        header = {"type": "plain_text", "text": subject[:_LONGEST_HEADER]}
        blocks = [{"type": "header", "text": header}]
        for story in stories[:_MOST_STORIES]:
            blocks += [_section(story, _essence(story)), {"type": "divider"}]
        if len(stories) > _MOST_STORIES:
            blocks.append(_context(f"and {len(stories) - _MOST_STORIES} more: csw alerts list"))
    return {"text": _cut(_escaped(subject)), "blocks": blocks}


def _section(story: Story, below: str) -> dict[str, Any]:
    sign = "🟢" if story.kind == OVER else _SIGNS.get(story.severity, "⚪")
    title = _cut(_escaped(story.headline), _LONGEST_TEXT // 2)
    section: dict[str, Any] = {
        "type": "section",
        "text": {"type": "mrkdwn", "text": _cut(f"{sign} *{title}*\n{below}")},
    }
    if story.link and len(story.link) <= _LONGEST_LINK:
        section["accessory"] = {
            "type": "button",
            "text": {"type": "plain_text", "text": "Open account"},
            "url": story.link,
        }
    return section


def _facts(story: Story) -> str:
    return "\n".join(f"*{name}:* {_escaped(text)}" for name, text in story.facts)


def _essence(story: Story) -> str:
    """What the headline doesn't say: the trend, since when, whose it is, and what to do."""
    facts = dict(story.facts)
    since = facts.get("Since", "").partition(",")[0]
    known = [facts.get("Trend"), since and f"since {since}", facts.get("Looked after by")]
    lines = [" · ".join(part for part in known if part), facts.get("What to do", "")]
    return "\n".join(_escaped(line) for line in lines if line)


def _context(text: str) -> dict[str, Any]:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": _escaped(text)}]}


def _escaped(text: str) -> str:
    """Slack's three characters: an account called <!channel> would wake everybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cut(text: str, longest: int = _LONGEST_TEXT) -> str:
    """At most so many characters, none of them half a one that was escaped."""
    if len(text) <= longest:
        return text
    return _HALF_ESCAPED.sub("", text[: longest - 1]) + "…"
