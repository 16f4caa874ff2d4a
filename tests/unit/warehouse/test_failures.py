"""The rows that a red check shows: a few of them, and nobody's address among them."""

from collections.abc import Iterator

import duckdb
import pytest

from assets.warehouse.failures import (
    SAMPLE_ROWS,
    broken_nodes,
    count_rows,
    failing_queries,
    personal_columns,
    read_failing_rows,
)


@pytest.fixture
def build() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as build; use build")
        connection.execute("create schema crm; create table crm.people (id text, email text)")
        yield connection


def test_personal_columns_are_masked(build: duckdb.DuckDBPyConnection) -> None:
    """An e-mail address in Dagster's storage, which nobody ever cleans."""
    build.execute("insert into crm.people values ('1', 'ada@example.com'), (null, null)")
    found = read_failing_rows(build, "select * from crm.people order by id", {"email"})
    assert found.columns == ("id", "email")
    assert found.rows == (("1", "***"), ("None", "***"))


def test_a_mart_says_which_of_its_columns_are_personal() -> None:
    """A name that no extract's column has, such as csm_name, shown in Dagster and in a release."""
    personal = {"csm_name": {"config": {"meta": {"personal": True}}}, "mrr": {"config": {}}}
    nodes = {"model.a": {"columns": personal}, "test.b": {}}
    assert personal_columns({"nodes": nodes}) == {"csm_name"}


def test_all_rows_are_counted_and_a_few_are_read(build: duckdb.DuckDBPyConnection) -> None:
    """A million rows in one event, or `20 rows fail` where a million do."""
    build.execute("insert into crm.people select range::text, 'x' from range(1000)")
    found = read_failing_rows(build, "select id from crm.people", set())
    assert (found.total, len(found.rows)) == (1000, SAMPLE_ROWS)


def test_only_tests_that_found_something_are_asked_again() -> None:
    """A query per green test, or one that dbt never compiled."""
    results = [
        {"unique_id": "a", "status": "pass", "compiled_code": "select 1"},
        {"unique_id": "b", "status": "fail", "compiled_code": "select 2"},
        {"unique_id": "c", "status": "warn", "compiled_code": "select 3"},
        {"unique_id": "d", "status": "fail", "compiled_code": None},
        {"unique_id": "e", "status": "error"},
    ]
    assert failing_queries({"results": results}) == {"b": "select 2", "c": "select 3"}


def test_a_model_that_broke_is_named_with_its_reason() -> None:
    """`A model failed`, and sixty models to look through."""
    results = [
        {"unique_id": "model.customer_success.dim_accounts", "status": "error", "message": "a\n b"},
        {"unique_id": "model.customer_success.stg_a", "status": "success", "message": "OK"},
        {"unique_id": "test.customer_success.t", "status": "fail", "message": "2 rows"},
    ]
    assert broken_nodes({"results": results}) == ["dim_accounts: a b"]


def test_tables_are_counted_by_their_address(build: duckdb.DuckDBPyConnection) -> None:
    """The rows of a table of another schema."""
    build.execute("insert into crm.people select range::text, 'x' from range(7)")
    build.execute("create view crm.views as from crm.people")
    assert count_rows(build) == {"crm/people": 7}
