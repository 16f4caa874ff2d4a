"""The rollups' SQL in another engine's dialect: the part that a cluster takes over if need be."""

from collections.abc import Iterator

import pytest
import sqlglot
from sqlglot import exp

from tests.integration.compiled_warehouse import Node, Warehouse

# What reads raw events by the million; all else reads the rollups, which are small.
READERS = ("int_events_counted", "int_events_timed", "int_identifications")


def rollups(warehouse: Warehouse) -> Iterator[Node]:
    """The models between raw events and the daily and monthly rollups."""
    for node in warehouse.nodes:
        if node.name in READERS or (node.is_kept and node.schema == "intermediate"):
            yield node


def test_rollups_are_written_in_what_spark_knows_too(warehouse: Warehouse) -> None:
    """Prevents a function, or an as-of join, that ties the rollups to one engine.

    sqlglot lets a function pass that it does not know, so those are refused here.
    """
    found = list(rollups(warehouse))
    assert len(found) > 10
    for node in found:
        tree = sqlglot.parse_one(node.sql, read="duckdb")
        unknown = sorted({call.name for call in tree.find_all(exp.Anonymous)})
        assert not unknown, f"{node.name}: {unknown}"
        assert "asof" not in node.sql.lower(), node.name
        tree.sql(dialect="spark", unsupported_level=sqlglot.ErrorLevel.RAISE)


@pytest.mark.parametrize("sql", ["select epoch_us(at) from t", "select list_sum(l) from t"])
def test_a_function_of_duckdb_alone_is_noticed(sql: str) -> None:
    """Prevents a check that finds nothing, whatever the SQL says."""
    assert list(sqlglot.parse_one(sql, read="duckdb").find_all(exp.Anonymous))
