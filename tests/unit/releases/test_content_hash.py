"""The content hash of a table: equal for equal rows, whatever their order, and for no others."""

from collections.abc import Iterator

import duckdb
import pytest

from assets.releases.tables import measure_table

ROWS = "('a', 1, 1.5::decimal(9, 2), 0.1), ('b', 2, null, -0.0), (null, 3, 2.5, 1e300)"


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as made:
        made.execute("attach ':memory:' as release")
        made.execute("create schema release.accounts")
        yield made


def measured(connection: duckdb.DuckDBPyConnection, rows: str) -> tuple[int, str]:
    connection.execute(
        "create or replace table release.accounts.t "
        "(name varchar, n int, d decimal(9, 2), x double)"
    )
    connection.execute(f"insert into release.accounts.t values {rows}")  # noqa: S608
    found = measure_table(connection, "accounts.t")
    return found.rows, found.content_hash


def test_the_order_of_rows_does_not_matter(connection: duckdb.DuckDBPyConnection) -> None:
    """Two threads that write the same rows in another order."""
    turned = "(null, 3, 2.5, 1e300), ('a', 1, 1.5, 0.1), ('b', 2, null, -0.0)"
    assert measured(connection, ROWS) == measured(connection, turned)


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(ROWS.replace("'a'", "'A'"), id="a letter"),
        pytest.param(ROWS.replace("1.5", "1.51"), id="a cent"),
        pytest.param(ROWS.replace("null, -0.0", "0, -0.0"), id="zero in place of nothing"),
        pytest.param(ROWS.replace("(null, 3", "('null', 3"), id="the word null"),
        pytest.param(ROWS.replace("0.1)", "0.10000000000000002)"), id="the last bit of a double"),
        pytest.param(ROWS.replace("2, null, -0.0", "null, 2, -0.0"), id="in another column"),
        pytest.param(ROWS + ", ('a', 1, 1.5, 0.1)", id="a row twice"),
        pytest.param(ROWS.replace("('a', 1", "('b', 1").replace("('b', 2", "('a', 2"), id="a swap"),
    ],
)
def test_any_change_of_a_value_changes_the_hash(
    connection: duckdb.DuckDBPyConnection, rows: str
) -> None:
    """A wrong number that passes as equal."""
    assert measured(connection, ROWS)[1] != measured(connection, rows)[1]


def test_a_table_without_rows_has_a_hash(connection: duckdb.DuckDBPyConnection) -> None:
    """A sum over nothing, which is NULL."""
    connection.execute("create table release.accounts.e (a int)")
    found = measure_table(connection, "accounts.e")
    assert (found.rows, found.content_hash) == (0, "0" * 16)


def test_a_sum_beyond_64_bits_wraps(connection: duckdb.DuckDBPyConnection) -> None:
    """A hash of many rows that is longer than the others, or an overflow."""
    connection.execute("create table release.accounts.many as select range as n from range(1000)")
    assert len(measure_table(connection, "accounts.many").content_hash) == 16
