"""However the releases are taken, the ledger is the same."""

import tempfile
from pathlib import Path

import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.alerts.evaluation import evaluate
from assets.alerts.ledger import create_ledger
from tests.unit.alerts.releases_by_hand import RECORDED_AT, march, publish, series
from tests.unit.alerts.rules_by_hand import contents, critical, rule, ruleset

RULES = ruleset(
    rule(family="health", cooldown_days=3),
    critical(for_days=2),
    rule("was_low", on_missing="alert"),
)
SCORES = st.lists(st.sampled_from([20.0, 28.0, 39.0, 42.0, 80.0, None]), min_size=6, max_size=6)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(first=SCORES, second=SCORES, new_days=st.lists(st.integers(0, 2), min_size=4, max_size=4),
       stops=st.sets(st.integers(1, 5)))  # fmt: skip
def test_any_split_of_the_releases_gives_equal_ledgers(
    first: list[float | None],
    second: list[float | None],
    new_days: list[int],
    stops: set[int],
) -> None:
    """State that depended on when the sensor woke could be neither repeated nor explained."""
    days = series("a", first) + series("b", second)
    with tempfile.TemporaryDirectory() as folder:
        one_by_one, split = (create_ledger(f"sqlite:///{folder}/{name}.sqlite") for name in "ab")
        last = 1
        for sequence, more in enumerate([0, *new_days], 1):
            last = min(last + more, 6)
            publish(Path(folder) / "releases", sequence, march(last), days)
            take(one_by_one, folder)
            if sequence in stops:
                take(split, folder)
        take(split, folder)
        assert contents(one_by_one) == contents(split)
        for engine in (one_by_one, split):
            engine.dispose()


def take(engine: sa.Engine, folder: str) -> None:
    evaluate(engine, Path(folder) / "releases", RULES, recorded_at=RECORDED_AT)
