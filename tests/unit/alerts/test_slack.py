"""Slack's messages against what Slack takes, and what a person reads in them."""

from collections.abc import Iterator
from typing import Any

import pytest

from assets.alerts.slack_channel import message_of
from assets.alerts.stories import stories_of

LINK = "https://crm.test/accounts/{account_id}"
TOLD = {
    "transition": "opened",
    "severity": "critical",
    "sentence": "The health of Acme is 28, below 30.",
    "reason": "health_score is 28, below 30",
    "what_to_do": "Call the sponsor.",
    "account_id": "acc-1",
    "account_name": "Acme",
    "csm_name": "Ada",
    "rule": "health_turned_critical",
    "metric": "health_score",
    "metric_name": "Health",
    "trend": [60, 40, 28],
    "day": "2025-03-05",
    "held_since": "2025-03-03",
}


def message(*payloads: dict[str, Any]) -> dict[str, Any]:
    return message_of(stories_of([TOLD | payload for payload in payloads], LINK))


def faults(told: dict[str, Any]) -> Iterator[str]:
    """Where a message is not what https://docs.slack.dev/reference/block-kit/blocks says."""
    blocks = told["blocks"]
    if not 1 <= len(blocks) <= 50:
        yield f"{len(blocks)} blocks"
    if len(told["text"]) > 4000:
        yield "the text above the blocks"
    for block in blocks:
        yield from FAULTS[block["type"]](block)


def text_faults(text: dict[str, Any], kind: str, longest: int) -> Iterator[str]:
    if text["type"] != kind or not 1 <= len(text["text"]) <= longest:
        yield f"{text['type']} of {len(text['text'])} characters"


def section_faults(block: dict[str, Any]) -> Iterator[str]:
    yield from text_faults(block["text"], "mrkdwn", 3000)
    button = block.get("accessory")
    if button:
        yield from text_faults(button["text"], "plain_text", 75)
        if button["type"] != "button" or not 1 <= len(button["url"]) <= 3000:
            yield "button"


def context_faults(block: dict[str, Any]) -> Iterator[str]:
    if not 1 <= len(block["elements"]) <= 10:
        yield f"{len(block['elements'])} elements"
    for element in block["elements"]:
        yield from text_faults(element, "mrkdwn", 3000)


FAULTS = {
    "section": section_faults,
    "context": context_faults,
    "header": lambda block: text_faults(block["text"], "plain_text", 150),
    "divider": lambda _: iter(()),
}
LONG = "&<>*" * 3000


@pytest.mark.parametrize("count", [1, 2, 23, 24, 500])
@pytest.mark.parametrize(
    "extreme",
    [
        {},
        {"account_name": LONG, "sentence": LONG, "what_to_do": LONG, "reason": LONG},
        {"account_id": "x" * 5000, "csm_name": LONG},
        {"sentence": "", "severity": "", "account_id": None, "trend": [], "held_since": None},
        {"trend": [1.5e300] * 5000, "metric_name": LONG},
    ],
)
def test_slack_takes_whatever_is_told(extreme: dict[str, Any], count: int) -> None:
    """One block too many or too long, and Slack refuses the whole message for ever."""
    told = message(*[extreme] * count)
    assert list(faults(told)) == []
    for block in told["blocks"]:
        text = block.get("text", {}).get("text", "")
        assert not text.rstrip("…").endswith(("&", "&a", "&am", "&amp", "&l", "&lt", "&g", "&gt"))


def test_what_breaks_slack_s_limits_is_found() -> None:
    """A check of limits that nothing can fail."""
    told = message({}, {})
    section = next(block for block in told["blocks"] if block["type"] == "section")
    section["text"]["text"] = "x" * 3001
    section["accessory"]["url"] = "x" * 3001
    told["blocks"] *= 11
    assert set(faults(told)) == {"55 blocks", "mrkdwn of 3001 characters", "button"}


def test_no_account_can_wake_everybody_or_fake_a_link() -> None:
    """An account called <!channel> would."""
    told = message({"account_name": "<!channel>", "sentence": "<https://bad.test|Log in> & so on"})
    (section,) = told["blocks"]
    assert "<" not in section["text"]["text"] + told["text"]
    assert "&lt;!channel&gt; (acc-1)" in section["text"]["text"]


def test_one_alert_says_all_that_is_known_of_it() -> None:
    """What, who, why with numbers and trend, since when, what to do, and where to go on."""
    told = message({})
    (section,) = told["blocks"]
    assert section["text"]["text"].splitlines() == [
        "🔴 *New (critical): The health of Acme is 28, below 30.*",
        "*Account:* Acme (acc-1)",
        "*Looked after by:* Ada",
        "*Why:* Health is 28, below 30",
        "*Trend:* █▄▁ 60 to 28 in 3 days",
        "*Since:* 2025-03-03, told on 2025-03-05",
        "*What to do:* Call the sponsor.",
    ]
    assert section["accessory"]["url"] == "https://crm.test/accounts/acc-1"


def test_a_digest_begins_with_what_is_worst_and_ends_with_what_is_over() -> None:
    """Thirty alerts in the order of account numbers: the critical one is the twenty-third."""
    over = {"transition": "resolved", "sentence": "Acme: health_turned_critical is over.",
            "what_to_do": "", "trend": []}  # fmt: skip
    told = message({"severity": "info"}, over, {}, {"severity": "warning"})
    header, *blocks = told["blocks"]
    assert header["text"]["text"] == "4 alerts: 1 critical, 1 warning, 1 info, 1 over"
    said = [block["text"]["text"].splitlines() for block in blocks if block["type"] == "section"]
    assert [lines[0][:1] for lines in said] == ["🔴", "🟠", "🔵", "🟢"]
    assert said[0][1:] == ["█▄▁ 60 to 28 in 3 days · since 2025-03-03 · Ada", "Call the sponsor."]
    assert said[3][0] == "🟢 *Over (critical): Acme: health turned critical is over.*"


def test_a_digest_that_is_too_long_says_what_it_leaves_out() -> None:
    """Seven alerts of thirty that nobody ever hears of."""
    *_, last = message(*[{}] * 30)["blocks"]
    assert last["elements"][0]["text"] == "and 7 more: csw alerts list"


def test_an_alert_of_a_module_names_it() -> None:
    """An account fell silent, says the message, and it was one module."""
    scoped = {"scope": "module:Map", "metric": "use_count_7d", "metric_name": "use in 7 days",
              "reason": "use_count_7d of module Map is 4, below 5"}  # fmt: skip
    (section,) = message(scoped)["blocks"]
    assert "*Module:* Map\n" in section["text"]["text"]
    assert "*Why:* Use in 7 days of module Map is 4, below 5\n" in section["text"]["text"]
