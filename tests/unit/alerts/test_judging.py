"""The frames against a plain re-computation, account by account and day by day."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assets.alerts.advancing import advance, memory_after
from assets.alerts.comparing import scope_of
from assets.alerts.judging import judge
from assets.alerts.memory import SCHEMA, worth_keeping
from assets.alerts.rules import Rule
from assets.alerts.scopes import NO_DIMENSIONS
from tests.unit.alerts.releases_by_hand import march
from tests.unit.alerts.rules_by_hand import critical, only, rule

Told = tuple[date, str, str, str, str]


@dataclass
class Remembered:
    """What one rule knows of one account, in the plain re-computation."""

    rule: Rule
    is_open: bool = False
    is_muted: bool = False
    held: int = 0
    triggered: date | None = None
    held_back_by: str | None = None
    verdict: str = "unjudged"

    def outranks(self, other: "Remembered") -> bool:
        is_family = self.rule.family_name == other.rule.family_name
        return self.is_open and is_family and self.rule.rank > other.rule.rank

    def rests(self, day: date) -> bool:
        pause = timedelta(days=self.rule.cooldown_days)
        return self.triggered is not None and day < self.triggered + pause


def plain(rules: list[Rule], scores: dict[str, list[float | None]]) -> list[Told]:
    """The rules as their definition reads, without frames: the first day is the activation."""
    found: list[Told] = []
    severest_first = sorted(rules, key=lambda rule: -rule.rank)
    memory = {account: [Remembered(rule=rule) for rule in severest_first] for account in scores}
    for n in range(max(len(values) for values in scores.values())):
        for account, values in scores.items():
            value = values[n] if n < len(values) else "no row"
            told = plain_day(memory[account], value, march(n + 1), is_first=n == 0)
            found += [(march(n + 1), account, *rest) for rest in told]
    return sorted(found)


def plain_day(
    known: list[Remembered], value: object, day: date, *, is_first: bool
) -> list[tuple[str, str, str]]:
    were_open = [each for each in known if each.is_open]
    for each in known:
        each.verdict = plain_verdict(each.rule, value)
    ended = [(each, plain_recovery(each, value)) for each in known]
    begun = [(each, plain_baseline(each, is_first=is_first)) for each in known]
    told = [(each.rule.rule, *effect) for each, effect in ended + begun if effect]
    for each in [each for each in known if each not in were_open and not each.is_muted]:
        plain_count(each)
        if each.verdict == "holds" and each.held >= each.rule.for_days:
            told += [(each.rule.rule, *effect) for effect in plain_opening(each, known, value, day)]
    still_open = [each for each in were_open if each.is_open]
    outranked = [each for each in still_open if any(other.outranks(each) for other in known)]
    return told + [(each.rule.rule, *plain_supersession(each)) for each in outranked]


def plain_supersession(each: Remembered) -> tuple[str, str]:
    holds = each.verdict == "holds"
    each.is_open, each.held = False, each.rule.for_days if holds else 0
    each.held_back_by = "superseded" if holds else None
    return ("resolved", "superseded")


def plain_recovery(each: Remembered, value: object) -> tuple[str, str] | None:
    if each.verdict != "recovered":
        return None
    was_open, each.is_open, each.is_muted, each.held = each.is_open, False, False, 0
    return ("resolved", "missing" if value is None else "recovered") if was_open else None


def plain_baseline(each: Remembered, *, is_first: bool) -> tuple[str, str] | None:
    if not is_first or each.rule.on_activation == "fire" or each.verdict != "holds":
        return None
    each.is_muted = True
    return ("suppressed", "baseline")


def plain_count(each: Remembered) -> None:
    if each.verdict == "holds":
        each.held += 1
    elif each.verdict != "unjudged":
        each.held, each.held_back_by = 0, None


def plain_opening(
    each: Remembered, known: list[Remembered], value: object, day: date
) -> list[tuple[str, str]]:
    why = "superseded" if any(other.outranks(each) for other in known) else None
    why = "cooldown" if each.rests(day) else why
    is_news, each.held_back_by = why != each.held_back_by, why
    if why:
        return [("suppressed", why)] if is_news else []
    each.is_open, each.triggered = True, day
    return [("opened", "missing" if value is None else "crossed")]


def plain_verdict(each: Rule, value: object) -> str:
    if value == "no row":
        return "unjudged"
    if value is None:
        return {"keep": "unjudged", "resolve": "recovered", "alert": "holds"}[each.on_missing]
    assert isinstance(value, float)
    if value < each.threshold:
        return "holds"
    return "recovered" if value >= each.recovers_at else "between"


def framed(
    rules: list[Rule],
    scores: dict[str, list[float | None]],
    rows_of: Callable[[pl.DataFrame], pl.DataFrame] = lambda rows: rows,
) -> list[Told]:
    """The same by `judge` and `advance`; each told of by its account's or its module's name."""
    memory, found = pl.DataFrame(schema=SCHEMA), []
    standing = rows_of(day_frame(dict.fromkeys(scores)))["account_id"]
    for n in range(max(len(values) for values in scores.values())):
        present = {a: values[n] for a, values in scores.items() if n < len(values)}
        frame = rows_of(day_frame(present))
        scope = frame.select(scope=scope_of(()))["scope"]
        rows = []
        for each in rules:
            mode = "baseline" if n == 0 and each.on_activation == "baseline" else "live"
            own = memory.filter(pl.col("rule") == each.rule)
            rows.append(judge(frame, scope, standing, own, each, mode).rows)
        moved = advance(pl.concat(rows), march(n + 1))
        memory = worth_keeping(memory_after(moved))
        news = moved.filter(
            pl.col("effect").is_not_null()
            & ((pl.col("effect") != "suppressed") | pl.col("is_news"))
        )
        found += [
            (march(n + 1), json.loads(dimensions).get("module", account), *row)
            for account, dimensions, *row in news.select(
                "account_id", "dimensions", "rule", "effect", "cause"
            ).rows()
        ]
    return sorted(found)


def as_modules(found: pl.DataFrame) -> pl.DataFrame:
    """Rows of three accounts as rows of one account's three modules."""
    return found.with_columns(
        dimensions='{"module":"' + pl.col("account_id") + '"}', account_id=pl.lit("one account")
    )


def day_frame(scores: dict[str, float | None]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "account_id": list(scores),
            "dimensions": [NO_DIMENSIONS] * len(scores),
            "account_status": ["customer"] * len(scores),
            "is_test": [False] * len(scores),
            "m_health_score": list(scores.values()),
        },
        schema_overrides={"m_health_score": pl.Float64, "account_id": pl.String},
    )


SCORES = st.sampled_from([10.0, 24.0, 25.0, 29.0, 30.0, 39.0, 40.0, 44.0, 45.0, 80.0, None])
MEMORY = {
    "for_days": st.integers(1, 3),
    "cooldown_days": st.integers(0, 6),
    "on_missing": st.sampled_from(["keep", "resolve", "alert"]),
    "on_activation": st.sampled_from(["fire", "baseline"]),
}
RULES = st.tuples(
    st.builds(lambda **more: rule(family="health", **more), **MEMORY),
    st.builds(critical, **MEMORY),
    st.builds(lambda **more: rule("score_was_low", severity="info", **more), **MEMORY),
)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(rules=RULES, scores=st.fixed_dictionaries({a: st.lists(SCORES, max_size=12) for a in "abc"}))
@example(  # held back, then not judged: the same suppression is no news on the third day
    rules=(rule(family="health"), critical()), scores={"a": [10.0, None, 10.0]}
)
@example(  # superseded while it could not be judged: it begins to count anew
    rules=(rule(family="health", for_days=2), critical(on_missing="alert")),
    scores={"a": [39.0, 39.0, None, 39.0, 39.0]},
)
@example(  # at rest, it must not stand in the way of the warning
    rules=(rule(family="health"), critical(cooldown_days=5)),
    scores={"a": [10.0, 50.0, 10.0, 10.0, 50.0, 10.0]},
)
def test_frames_find_what_the_plain_definition_finds(
    rules: tuple[Rule, ...], scores: dict[str, list[float | None]]
) -> None:
    """A mistake in a vectorised expression hides in a combination that nobody wrote by hand."""
    if any(scores.values()):
        assert framed(list(rules), scores) == plain(list(rules), scores)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(rules=RULES, scores=st.fixed_dictionaries({a: st.lists(SCORES, max_size=12) for a in "abc"}))
def test_three_modules_of_an_account_are_judged_as_three_accounts_are(
    rules: tuple[Rule, ...], scores: dict[str, list[float | None]]
) -> None:
    """One module's memory, family or cool-down that gets mixed up with another's."""
    changes = {"scope": "module:a|module:b|module:c"}
    scoped = [rule.model_copy(update=changes) for rule in rules]
    if any(scores.values()):
        assert framed(scoped, scores, as_modules) == plain(list(rules), scores)


def test_memory_of_what_stays_as_it_is_does_not_change() -> None:
    """A row that counts up every day would be written every day, for every account held back."""
    memory = pl.DataFrame(schema=SCHEMA)
    each = rule(for_days=2, cooldown_days=0)
    for n in range(1, 6):
        frame = day_frame({"a": 30.0})
        scope = frame.select(scope=scope_of(()))["scope"]
        there = frame["account_id"]
        before, rows = memory, judge(frame, scope, there, memory, each, "live").rows
        memory = worth_keeping(memory_after(advance(rows, march(n))))
    assert memory.equals(before)
    assert memory["held_since"].to_list() == [march(1)]


def test_a_certain_no_outweighs_a_missing_attribute() -> None:
    """A lead without a tier is a lead: it isn't counted as an account that can't be judged."""
    frame = pl.DataFrame(
        {
            "account_id": ["lead", "customer", "test"],
            "account_status": ["lead", "customer", "customer"],
            "is_test": [False, False, True],
            "a_tier": [None, None, None],
        },
        schema_overrides={"a_tier": pl.String},
    )
    filters = rule(**only("tier", "not_in", "gold|silver")).filters
    assert frame.select(scope=scope_of(filters))["scope"].to_list() == [False, None, False]


@pytest.mark.parametrize("attribute", ["account_status", "status"])
def test_a_filter_that_names_leads_is_about_leads(attribute: str) -> None:
    """Leads that no rule could ever be about: a filter on dim_accounts' own status is one too."""
    frame = pl.DataFrame(
        {
            "account_id": ["lead", "customer", "trial"],
            "account_status": ["lead", "customer", "trial"],
            "is_test": [False, False, False],
            f"a_{attribute}": ["lead", "customer", "trial"],
        }
    )
    filters = rule(**only(attribute, "in", "lead|customer")).filters
    assert frame.select(scope=scope_of(filters))["scope"].to_list() == [True, True, False]
    assert frame.select(scope=scope_of(()))["scope"].to_list() == [False, True, False]
