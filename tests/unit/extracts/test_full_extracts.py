"""Tables that a profile declares full: what an extract no longer names ends there."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

FIRST = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def profile(bench: Any) -> None:
    bench.write(
        "profile.yml",
        "name: mine\ndescription: Accounts are whole tables.\nextends: canonical\n"
        "tables:\n  crm.accounts:\n    mode: full\n",
    )


def history(bench: Any) -> list[tuple[Any, ...]]:
    """Key, whether it is gone, and the day of the version, in the versions' order."""
    return bench.rows(
        "select account_id, _is_deleted, _version_at::date::varchar from crm.accounts "
        "order by account_id, _version_at nulls first, _load_order, _row"
    )


def test_a_key_that_disappears_ends_and_one_that_comes_back_lives(
    bench: Any, accounts: Any
) -> None:
    """An account that the CRM deleted kept for ever, or one that came back kept as deleted."""
    for day, ids in enumerate([("a", "b"), ("a",), ("a",), ("a", "b")], start=1):
        bench.write(f"crm/accounts/dt=2024-12-0{day}/a.csv", accounts(*ids))
        load = bench.load("crm.accounts", FIRST)
        assert load.rows_read == load.rows_loaded == len(ids)
    assert [row for row in history(bench) if row[0] == "b"] == [
        ("b", False, "2024-12-02"), ("b", True, "2024-12-03"), ("b", False, "2024-12-05"),
    ]  # fmt: skip
    gone = bench.rows(
        "select account_name, created_at, _known_at::varchar, _row from crm.accounts "
        "where _is_deleted"
    )
    assert gone == [(None, None, "2024-12-03 00:00:00+00", 0)]


def test_any_order_of_extracts_gives_equal_content(bench: Any, accounts: Any) -> None:
    """Deletions that depend on which extract was loaded first."""
    days = {1: ("a", "b", "c"), 2: ("a", "c"), 3: ("a", "b")}
    contents = []
    for order in itertools.permutations(days):
        for file in [*bench.landing.glob("crm/accounts/*/*"), *bench.landing.glob(".csw/*")]:
            file.unlink()
        bench.rebuild()
        for day in order:
            bench.write(f"crm/accounts/dt=2024-12-0{day}/a.csv", accounts(*days[day]))
            bench.load("crm.accounts", FIRST)
        contents.append(bench.content("crm.accounts"))
    assert all(content == contents[0] for content in contents)


def test_a_rejected_row_is_not_gone(bench: Any, accounts: Any) -> None:
    """A bad date in one extract ending the account."""
    bench.write("crm/accounts/dt=2024-12-01/a.csv", accounts("a", "b"))
    bench.write(
        "crm/accounts/dt=2024-12-02/a.csv", accounts("a", "b").replace("2024-01-02", "soon")
    )
    load = bench.load("crm.accounts", FIRST)
    assert load.rows_rejected == 1
    assert [row[1] for row in history(bench)] == [False, False, False]


def test_an_extract_with_a_row_of_no_shape_ends_nothing_yet(bench: Any, accounts: Any) -> None:
    """The account of a broken row taken for a deleted one."""
    bench.write("crm/accounts/dt=2024-12-01/a.csv", accounts("a", "b"))
    bench.write("crm/accounts/dt=2024-12-02/a.csv", accounts("a") + '"b"x,y\n')
    bench.load("crm.accounts", FIRST)
    assert not any(row[1] for row in history(bench))
    bench.write("crm/accounts/dt=2024-12-03/a.csv", accounts("a"))
    bench.load("crm.accounts", FIRST)
    assert ("b", True, "2024-12-04") in history(bench)


def test_an_extract_that_shrank_is_refused(bench: Any, accounts: Any) -> None:
    """A half-written extract ending most accounts."""
    bench.write("crm/accounts/dt=2024-12-01/a.csv", accounts("a", "b", "c"))
    bench.load("crm.accounts", FIRST)
    bench.write("crm/accounts/dt=2024-12-02/a.csv", accounts("a"))
    load = bench.load("crm.accounts", FIRST)
    (said,) = load.refusals
    assert said == (
        "crm/accounts/dt=2024-12-02/a.csv: has 1 rows where the full extract before it "
        "(crm/accounts/dt=2024-12-01/a.csv) had 3, a loss of more than 50%, so nothing was ended; "
        "deliver the whole table, or raise CSW_MAX_SHRINK_SHARE for this run if it is right."
    )
    assert len(history(bench)) == 3
    assert bench.load("crm.accounts", FIRST, shrink_limit=0.9).rows_loaded == 1
    assert [row[1] for row in history(bench)] == [False, False, False, True, False, True]


def test_a_header_alone_is_refused_as_shrunk(bench: Any, accounts: Any) -> None:
    """An empty export ending every account."""
    bench.write("crm/accounts/a.csv", accounts("a"))
    bench.load("crm.accounts", FIRST)
    bench.write("crm/accounts/a.csv", accounts())
    assert "has 0 rows" in bench.load("crm.accounts", FIRST + timedelta(days=1)).refusals[0]


def test_an_upsert_table_ends_nothing(bench: Any) -> None:
    """Changed rows alone taken for the whole table."""
    header = "ticket_id,account_id,created_at\n"
    bench.write(
        "tickets/tickets/dt=2024-12-01/t.csv", header + "t1,a,2024-12-01\nt2,a,2024-12-01\n"
    )
    bench.write("tickets/tickets/dt=2024-12-02/t.csv", header + "t1,a,2024-12-01\n")
    bench.load("tickets.tickets", FIRST)
    assert bench.rows("select count(*), bool_or(_is_deleted) from tickets.tickets") == [(3, False)]


@pytest.mark.parametrize("order", list(itertools.permutations((1, 2, 3))))
def test_what_shrank_too_far_does_not_depend_on_the_order_of_arrival(
    bench: Any, accounts: Any, order: tuple[int, ...]
) -> None:
    """An extract accepted only because the larger one before it arrived late."""
    days = {1: "abcd", 2: "abcdefghij", 3: "abcd"}
    for day in order:
        bench.write(f"crm/accounts/dt=2024-12-0{day}/a.csv", accounts(*days[day]))
        load = bench.load("crm.accounts", FIRST)
    (said,) = load.refusals
    assert said.startswith(
        "crm/accounts/dt=2024-12-03/a.csv: has 4 rows where the full extract before it "
        "(crm/accounts/dt=2024-12-02/a.csv) had 10, a loss of more than 50%"
    )
    assert not any(row[1] for row in history(bench))
    assert bench.load("crm.accounts", FIRST).refusals == (said,)
    bench.write("crm/accounts/dt=2024-12-02/a.csv", accounts(*"abcdef"))
    assert bench.load("crm.accounts", FIRST).refusals == ()
    assert ("e", True, "2024-12-04") in history(bench)


def test_an_extract_that_was_let_through_stays(bench: Any, accounts: Any) -> None:
    """A loss that somebody approved for one run refused by the next."""
    bench.write("crm/accounts/dt=2024-12-01/a.csv", accounts(*"abcd"))
    bench.write("crm/accounts/dt=2024-12-02/a.csv", accounts("a"))
    assert bench.load("crm.accounts", FIRST, shrink_limit=1.0).refusals == ()
    bench.write("crm/accounts/dt=2024-12-03/a.csv", accounts("a"))
    assert bench.load("crm.accounts", FIRST).refusals == ()
    assert ("b", True, "2024-12-03") in history(bench)
