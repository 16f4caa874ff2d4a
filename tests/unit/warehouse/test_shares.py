"""A model in shares of accounts: macros/shares.sql, rendered as dbt does and run in DuckDB."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from jinja2 import Environment

MACROS = Path(__file__).parents[3] / "dbt_project" / "macros" / "shares.sql"
MODEL = "select account_id, day from days where {{ in_share('account_id') }}"


class Relation(str):
    """A relation's name, which dbt would ask for its parts."""

    def include(self, **_: bool) -> str:
        """The name."""
        return str(self)


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    """100 accounts of 30,000 days each, due but for the first 10 days."""
    made = duckdb.connect()
    made.execute(
        "create table accounts as select 'a' || i as account_id, date '1950-01-01' as first_day, "
        "date '1950-01-11' as due_from from range(100) t(i);"
        "create table days as select account_id, first_day + cast(d as integer) as day "
        "from accounts, range(3) t(d)"
    )
    return made


def render(connection: duckdb.DuckDBPyConnection, call: str, **names: Any) -> str:
    """What dbt would send for this call of a macro."""

    def run_query(sql: str) -> SimpleNamespace:
        return SimpleNamespace(rows=connection.execute(sql).fetchall())

    environment = Environment(autoescape=False)  # noqa: S701 - SQL
    return environment.from_string(MACROS.read_text("utf-8") + call).render(
        as_of_day=lambda: "(date '1950-01-01' + 30000)",
        config={"meta": {"in_shares": True}, "contract": SimpleNamespace(enforced=False)},
        run_query=run_query,
        **names,
    )


@pytest.mark.parametrize("temporary", [False, True])
def test_every_account_is_of_one_share(
    connection: duckdb.DuckDBPyConnection, *, temporary: bool
) -> None:
    """Accounts of two shares, or of none; a share that the next model is read in."""
    connection.execute(render(connection, "{{ share_out('accounts', 'accounts') }}"))
    shares = connection.execute("select getvariable('shares')").fetchone()
    assert shares == (1 + 100 * 29_990 // 1_000_000,)
    sql = render(
        connection,
        "{{ duckdb__create_table_as(temporary, relation, model) }}",
        temporary=temporary,
        relation=Relation("made"),
        model=render(connection, MODEL),
    )
    assert sql.count("insert into") == shares[0]
    connection.execute(sql)
    assert connection.execute("from made except all from days").fetchall() == []
    assert connection.execute("select count(*) from made").fetchone() == (300,)
    connection.execute(f"create table after as {render(connection, MODEL)}")
    assert connection.execute("select count(*) from after").fetchone() == (300,)
