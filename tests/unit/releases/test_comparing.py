"""What two releases differ in, and what is said to have made it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from assets.releases.comparing import NumberDifference, TableDifference, compare
from assets.releases.keeping import read_summaries
from assets.releases.publishing import publish
from tests.unit.releases.small_build import ONE, THREE, TWO, open_build, request, show

ACCOUNTS = """
    create schema if not exists meta;
    create or replace table accounts.account_scorecard
        (account_id varchar, health_state varchar, mrr decimal(18, 2), mau bigint, note varchar);
    create or replace table meta.metric_registry (metric varchar, is_non_additive boolean);
    insert into meta.metric_registry values ('mrr', false), ('mau', true);
"""


def release(
    folder: Path, as_of: date, accounts: Sequence[tuple[str, str, int, int]], weight: str = "5"
) -> None:
    """A release with these accounts: id, health, MRR, active users."""
    with open_build(folder) as build:
        show(build, {ONE: 10})
        build.execute(ACCOUNTS)
        for row in accounts:
            build.execute("insert into accounts.account_scorecard values (?, ?, ?, ?, 'n')", row)
        build.execute("delete from reference.configuration")
        build.execute(
            "insert into reference.configuration values (?, 'conditions.csv', 1, 'weight', ?)",
            [f"v{weight}", weight],
        )
        asked = replace(request(as_of), configuration_version=f"v{weight}")
        publish(build, folder / "releases", asked)


def test_equal_releases_differ_in_nothing(tmp_path: Path) -> None:
    """A difference that is none: rows in another order."""
    release(tmp_path, TWO, [("a", "good", 10, 4), ("b", "poor", 5, 2)])
    release(tmp_path, TWO, [("b", "poor", 5, 2), ("a", "good", 10, 4)])
    found = compare(tmp_path / "releases", *read_summaries(tmp_path / "releases"))
    assert (found.causes, found.tables, found.numbers, found.cells) == ((), (), (), ())
    assert found.equal_tables > 5


def test_what_changed_is_named_with_accounts_numbers_and_cause(tmp_path: Path) -> None:
    """An account whose health moved, and nobody can say since when or why."""
    release(tmp_path, TWO, [("a", "good", 10, 4), ("b", "poor", 5, 2)])
    release(tmp_path, THREE, [("a", "good", 10, 4), ("b", "good", 7, 3), ("c", "good", 1, 2)], "8")
    found = compare(tmp_path / "releases", *read_summaries(tmp_path / "releases"))
    assert found.causes == (
        "time: as of 2025-01-02T00:00:00+00:00, then 2025-01-03T00:00:00+00:00",
        "configuration: v5, then v8",
    )
    assert found.tables == (
        TableDifference(
            name="accounts.account_scorecard", rows=(2, 3), accounts=2, examples=("b", "c")
        ),
    )
    assert found.numbers == (
        NumberDifference(name="accounts, health_state good", before=Decimal(1), after=Decimal(3)),
        NumberDifference(name="accounts, health_state poor", before=Decimal(1), after=None),
        NumberDifference(name="sum of mrr", before=Decimal(15), after=Decimal(18)),
    )
    assert found.cells == (("conditions.csv", 1, "weight", "5", "8"),)


@pytest.mark.parametrize("is_dropped", [True, False])
def test_a_table_or_column_that_one_has_is_named(tmp_path: Path, *, is_dropped: bool) -> None:
    """A new mart, or a new column, of which the comparison knows nothing."""
    release(tmp_path, TWO, [("a", "good", 10, 4)])
    with open_build(tmp_path) as build:
        build.execute("delete from builds.nodes")
        if is_dropped:
            build.execute("drop table accounts.account_scorecard")
        else:
            build.execute("alter table accounts.account_scorecard add column arr bigint")
        publish(build, tmp_path / "releases", request(TWO))
    found = compare(tmp_path / "releases", *read_summaries(tmp_path / "releases"))
    assert [(each.name, each.rows) for each in found.tables] == [
        ("accounts.account_scorecard", (1, None if is_dropped else 1))
    ]
