"""The rollups' SQL in another engine's dialect: the part that a cluster takes over if need be."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from tests.integration import compiled_warehouse as compiled
from tests.integration.compiled_warehouse import Node, Warehouse
from tests.integration.test_marts_agree_with_python import raw_tables
from tests.recompute.books import shifted
from tests.recompute.usage_world import SEEDS, moved, seeded_world

# What reads raw events by the million; all else reads the rollups, which are small.
READERS = ("int_events_counted", "int_events_timed", "int_identifications")
ZONE = "Europe/Berlin"
# The world's last days have 23 or 25 hours.
EARLIER = timedelta(hours=-154 * 24 - 1)


def rollups(warehouse: Warehouse) -> Iterator[Node]:
    """The models between raw events and the daily and monthly rollups, by their tag or folder."""
    folder = compiled.ROOT / "models" / "intermediate" / "usage"
    tagged = {f.stem for f in folder.rglob("*.sql") if "tags=['rollup']" in f.read_text("utf-8")}
    tagged |= {file.stem for file in (folder / "rollups").glob("*.sql")}
    for node in warehouse.nodes:
        if node.name in READERS or (node.is_kept and node.name in tagged):
            yield node


def in_spark(sql: str) -> str:
    """The SQL in Spark's dialect, over views that are named as the schema and the table."""
    tree = sqlglot.parse_one(sql, read="duckdb")
    for table in tree.find_all(exp.Table):
        if table.db:
            table.replace(exp.to_table(f"{table.db}__{table.name}", alias=table.alias_or_name))
    return tree.sql(dialect="spark", unsupported_level=sqlglot.ErrorLevel.RAISE)


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
        assert in_spark(node.sql)


@pytest.mark.parametrize("sql", ["select epoch_us(at) from t", "select list_sum(l) from t"])
def test_a_function_of_duckdb_alone_is_noticed(sql: str) -> None:
    """Prevents a check that finds nothing, whatever the SQL says."""
    assert list(sqlglot.parse_one(sql, read="duckdb").find_all(exp.Anonymous))


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    """A Spark of this process, where there is one and a Java to run it."""
    sql = pytest.importorskip("pyspark.sql", reason="pyspark is not installed")
    if shutil.which("java") is None:
        pytest.skip("there is no Java here, which Spark needs")
    said = {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "1",
        "spark.ui.enabled": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
    }
    building = sql.SparkSession.builder.master("local[1]").appName("rollups")
    for name, value in said.items():
        building = building.config(name, value)
    session = building.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


def test_rollups_are_equal_on_spark(warehouse: Warehouse, spark: Any, tmp_path: Path) -> None:
    """Prevents a translation that runs and means something else: a week, a gap, a null's place.

    Each model reads what DuckDB made of its parents, and is held against what DuckDB makes of it.
    """
    world = seeded_world(11, visits=120)
    world = moved(world, EARLIER, shifted(world.books, EARLIER))
    names = [node.name for node in rollups(warehouse)]
    small = warehouse.only(*names)
    tables = raw_tables(world.books) | world.tables()
    different = {}
    with closing(small.build(tables, world.books.as_of, zone=ZONE, seeds=SEEDS)) as build:
        for node in rollups(small):
            if apart := _apart(build, node, spark, tmp_path, world.books.as_of):
                different[node.name] = apart
    assert not different


def _apart(
    build: duckdb.DuckDBPyConnection, node: Node, spark: Any, folder: Path, as_of: datetime
) -> list[Any]:
    """The rows of a model that only one of the two engines has."""
    tree = sqlglot.parse_one(node.sql, read="duckdb")
    for table in {(t.db, t.name) for t in tree.find_all(exp.Table) if t.db}:
        file = folder / "__".join(table)
        if not file.exists():
            build.execute(f"copy {table[0]}.{table[1]} to '{file}' (format parquet)")
            spark.read.parquet(str(file)).createOrReplaceTempView(file.name)
    sql = node.sql.replace(compiled.AS_OF, as_of.isoformat()).replace(compiled.ZONE, ZONE)
    made = folder / f"made_{node.name}"
    spark.sql(in_spark(sql)).write.parquet(str(made))
    both = f"(from {node.relation}), (from read_parquet('{made}/*.parquet'))"
    here, there = both.split(", ")
    found = build.execute(
        f"(select 'DuckDB' as engine, * from ({here} except all {there}) limit 3) union all "  # noqa: S608
        f"(select 'Spark' as engine, * from ({there} except all {here}) limit 3)"
    ).fetchall()
    assert build.execute(f"select count(*) > 0 from {node.relation}").fetchall() == [(True,)]  # noqa: S608
    return found
