"""Rules that nobody could want: for everybody, for nobody, or on and off."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from assets.alerts.replay import Replay, ReplayedAlert
from assets.alerts.rules import Rule

EVERYONE = 0.5
"""Share of the customers with an open alert from which a rule is about everybody."""
FLAPS = 3
FLAP_DAYS = 30
"""So many alerts of one account in so many days are flapping."""


@dataclass(frozen=True, kw_only=True)
class Lint:
    """One thing that is wrong with a rule, with the numbers and the remedy."""

    rule: str
    problem: str
    sentence: str


def lint(rules: list[Rule], replayed: Replay) -> list[Lint]:
    """What is wrong with rules, by what they would have fired over the days of a replay."""
    days = (replayed.last - replayed.first).days + 1
    return [found for rule in rules for found in _lint(rule, replayed, days)]


def _lint(rule: Rule, replayed: Replay, days: int) -> Iterator[Lint]:
    found = replayed.of(rule.rule)
    held = [each for each in replayed.held if each.rule == rule.rule]
    still_open = len({alert.account_id for alert in found if alert.resolved_on is None})
    if held:
        yield Lint(
            rule=rule.rule,
            problem="held",
            sentence=f"was held back on {len(held)} of {days} days, last on {held[-1].day} for "
            f"{held[-1].would_fire:,} accounts; narrow it, or raise its max_share",
        )
    if not found and not held:
        yield _silent(rule, replayed, days)
    if replayed.customers and still_open / replayed.customers > EVERYONE:
        yield Lint(
            rule=rule.rule,
            problem="everyone",
            sentence=f"is open for {still_open:,} of {replayed.customers:,} customers; "
            "what holds for everybody tells nothing",
        )
    flapping = _flapping(found)
    if flapping:
        yield Lint(
            rule=rule.rule,
            problem="flaps",
            sentence=f"opened {FLAPS} times or more within {FLAP_DAYS} days for {len(flapping)} "
            f"accounts ({', '.join(flapping[:3])}); move recover_at away from the threshold, or "
            "ask for more for_days",
        )


def _silent(rule: Rule, replayed: Replay, days: int) -> Lint:
    """Why a rule said nothing: nothing was so, or it could not be judged."""
    note = next((said for said in replayed.notes if said.startswith(f"{rule.rule} ")), None)
    if note:
        return Lint(
            rule=rule.rule, problem="not_judged", sentence=note.removeprefix(f"{rule.rule} ")
        )
    return Lint(
        rule=rule.rule,
        problem="never",
        sentence=f"never fired in {days} days; move its threshold, or remove it",
    )


def _flapping(found: tuple[ReplayedAlert, ...]) -> list[str]:
    """The accounts of which a rule fires too often for one and the same thing."""
    counts: Counter[str] = Counter()
    for alert in found:
        recent = [
            other
            for other in found
            if (other.account_id, other.dimensions) == (alert.account_id, alert.dimensions)
            and alert.opened_on <= other.opened_on < alert.opened_on + timedelta(days=FLAP_DAYS)
        ]
        counts[alert.account_id] = max(counts[alert.account_id], len(recent))
    return sorted(account for account, most in counts.items() if most >= FLAPS)
