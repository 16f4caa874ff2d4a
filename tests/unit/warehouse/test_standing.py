"""What need not be built again, and what must be."""

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from assets.warehouse.standing import (
    does_stand,
    find_standing,
    plan_build,
    read_fingerprints,
    remember_built,
    remember_made,
)

CIRCUMSTANCES = ("code", "2026-01-01")


def node(
    name: str, *parents: str, kind: str = "model", made: str = "table", schema: str = "main"
) -> dict[str, Any]:
    return {
        "resource_type": kind,
        "schema": schema,
        "alias": name,
        "checksum": {"checksum": f"sql of {name}"},
        "config": {"materialized": made},
        "depends_on": {} if kind == "seed" else {"nodes": list(parents)},
    }


def source(schema: str, table: str) -> dict[str, Any]:
    return {"schema": schema, "identifier": table, "relation_name": f'"{schema}"."{table}"'}


@pytest.fixture
def manifest() -> dict[str, Any]:
    """Three marts: of deals, with a test; of use, by due days; of health, by unshown days."""
    nodes = {
        "model.p.stg_deals": node("stg_deals", "source.p.crm.deals", made="view"),
        "model.p.deals": node("deals", "model.p.stg_deals"),
        "test.p.deals_are_unique": node("deals_are_unique", "model.p.deals", kind="test"),
        "model.p.stg_done": node("stg_done", "source.p.rollups.done", made="view"),
        "model.p.due": node("due", "model.p.stg_done", "source.p.events.events"),
        "model.p.usage": node("usage", "model.p.due", "seed.p.modules"),
        "seed.p.modules": node("modules", kind="seed", made="seed"),
        "model.p.stg_shown": node("stg_shown", "source.p.history.health", made="view"),
        "model.p.unshown": node(
            "unshown", "model.p.stg_shown", "model.p.usage", schema="intermediate"
        ),
        "model.p.scored": node("scored", "model.p.unshown", made="view"),
        "model.p.health": node("health", "model.p.scored", "model.p.stg_notes"),
        "model.p.stg_notes": node("stg_notes", "source.p.crm.notes", made="view"),
        "unit_test.p.deals": node("deals", "model.p.deals", kind="unit_test"),
    }
    sources = {
        "source.p.crm.deals": source("crm", "deals"),
        "source.p.events.events": source("events", "events"),
        "source.p.rollups.done": source("rollups", "done"),
        "source.p.history.health": source("history", "health"),
        "source.p.crm.notes": source("crm", "notes"),
    }
    children: dict[str, list[str]] = {name: [] for name in (*nodes, *sources)}
    for name, one in nodes.items():
        for parent in one["depends_on"].get("nodes", []):
            children[parent].append(name)
    return {"nodes": nodes, "sources": sources, "child_map": children}


@pytest.fixture
def build(manifest: dict[str, Any]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A build in which everything was built and passed."""
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as build")
        connection.execute("use build")
        for schema in ("crm", "events", "landing", "rollups", "history", "intermediate"):
            connection.execute(f"create schema {schema}")
        connection.execute("create table crm.deals as select 1 as deal_id")
        connection.execute("create table crm.notes as select 1 as note_id")
        connection.execute("create table history.health as select 1 as day")
        connection.execute("create table events.events as select 1 as event_id")
        connection.execute("create table rollups.done as select 1 as change_id")
        connection.execute(
            "create table landing.deliveries as from (values "
            "(1, 'crm', 'deals', 'loaded'), (2, 'events', 'events', 'loaded')) "
            "as rows(delivery_id, source, table_name, state)"
        )
        connection.execute("create table intermediate.unshown (i integer)")
        for name in ("deals", "due", "usage", "modules", "health"):
            connection.execute(f"create table main.{name} (i integer)")
        for name in ("stg_deals", "stg_done", "stg_shown", "stg_notes", "scored"):
            connection.execute(f"create view main.{name} as select 1 as i")
        remember(connection, manifest)
        yield connection


def remember(
    connection: duckdb.DuckDBPyConnection, manifest: dict[str, Any], **statuses: str
) -> None:
    """Puts everything into the book, as a run leaves it."""
    plan = plan_build(connection, manifest, CIRCUMSTANCES, is_whole=True)
    results = [
        {"unique_id": name, "status": statuses.get(name.split(".")[-1], "success")}
        for name in plan.fingerprints
    ]
    remember_built(connection, {"results": results}, plan.fingerprints)


def standing(
    connection: duckdb.DuckDBPyConnection,
    manifest: dict[str, Any],
    circumstances: tuple[str, ...] = CIRCUMSTANCES,
) -> set[str]:
    """What stands, by the last part of its name."""
    fingerprints = read_fingerprints(connection, manifest, circumstances)
    return {name.split(".")[-1] for name in find_standing(connection, manifest, fingerprints)}


OF_DEALS = {"stg_deals", "deals", "deals_are_unique"}
OF_USAGE = {"stg_done", "due", "usage", "modules"}
OF_HEALTH = {"stg_shown", "unshown", "stg_notes", "scored", "health"}
VIEWS = {"stg_done", "stg_shown", "stg_notes", "scored"}


def test_everything_stands_where_nothing_is_new(
    build: duckdb.DuckDBPyConnection, manifest: dict[str, Any]
) -> None:
    """A run that builds all it has just built; and unit tests are no part of a run."""
    assert standing(build, manifest) == OF_DEALS | OF_USAGE | OF_HEALTH


def test_a_new_delivery_makes_anew_what_is_below_its_table(
    build: duckdb.DuckDBPyConnection, manifest: dict[str, Any]
) -> None:
    """A mart of yesterday's deals; a view above it has no rows of its own."""
    build.execute("insert into landing.deliveries values (3, 'crm', 'deals', 'loaded')")
    assert standing(build, manifest) == {"stg_deals", *OF_USAGE, *OF_HEALTH} - {"due"}


def test_a_delivery_that_another_replaced_makes_its_table_anew(
    build: duckdb.DuckDBPyConnection, manifest: dict[str, Any]
) -> None:
    """A file that was written again: as many deliveries and rows as before."""
    build.execute("update landing.deliveries set state = 'superseded' where delivery_id = 2")
    assert standing(build, manifest) == OF_DEALS | VIEWS | {"modules"}


def test_rows_that_were_cut_make_anew_what_read_them(
    build: duckdb.DuckDBPyConnection, manifest: dict[str, Any]
) -> None:
    """Retention takes rows out of a raw table without a delivery."""
    build.execute("delete from events.events")
    assert standing(build, manifest) == OF_DEALS | VIEWS | {"modules"}


def test_a_working_table_is_made_anew_for_what_reads_it(
    build: duckdb.DuckDBPyConnection, manifest: dict[str, Any]
) -> None:
    """A day that the table holds as not yet shown, beside the same day as shown."""
    build.execute("insert into landing.deliveries values (3, 'crm', 'notes', 'loaded')")
    left = {"health", "unshown", "due"}
    assert standing(build, manifest) == (OF_DEALS | OF_USAGE | OF_HEALTH) - left


def test_an_edited_seed_makes_anew_what_reads_it(
    build: duckdb.DuckDBPyConnection, manifest: dict[str, Any]
) -> None:
    """A catalogue of modules that counts from the day after tomorrow."""
    manifest["nodes"]["seed.p.modules"]["checksum"]["checksum"] = "another"
    assert standing(build, manifest) == OF_DEALS | VIEWS


def test_nothing_stands_under_other_circumstances(
    build: duckdb.DuckDBPyConnection, manifest: dict[str, Any]
) -> None:
    """Yesterday's as-of in a view, or the last version's SQL."""
    assert standing(build, manifest, ("code", "2026-01-02")) == set()


def test_what_was_dropped_does_not_stand(
    build: duckdb.DuckDBPyConnection, manifest: dict[str, Any]
) -> None:
    """A table that somebody took away by hand."""
    build.execute("drop table main.deals")
    assert "deals" not in standing(build, manifest)


def test_a_test_that_did_not_pass_is_asked_again(
    build: duckdb.DuckDBPyConnection, manifest: dict[str, Any]
) -> None:
    """A red check that is green the next time, since nothing has changed."""
    build.execute("delete from builds.nodes")
    remember(build, manifest, deals_are_unique="fail")
    left = {"deals_are_unique", "due"}
    assert standing(build, manifest) == (OF_DEALS | OF_USAGE | OF_HEALTH) - left


def test_what_a_run_had_begun_does_not_stand(
    build: duckdb.DuckDBPyConnection, manifest: dict[str, Any]
) -> None:
    """A run that was killed between two tables; the delivery that it was for went again."""
    build.execute("insert into landing.deliveries values (3, 'crm', 'deals', 'loaded')")
    plan = plan_build(build, manifest, CIRCUMSTANCES, is_whole=True)
    assert plan.is_anything_to_build
    build.execute("delete from landing.deliveries where delivery_id = 3")
    assert standing(build, manifest) == {"stg_deals", *OF_USAGE, *OF_HEALTH} - {"due"}


def test_nothing_stands_after_a_part_was_built(
    build: duckdb.DuckDBPyConnection, manifest: dict[str, Any]
) -> None:
    """One mart made anew in the UI, on tables below it that are not what they were."""
    plan = plan_build(build, manifest, CIRCUMSTANCES, is_whole=False)
    results = {"results": [{"unique_id": "model.p.deals", "status": "success"}]}
    remember_built(build, results, plan.fingerprints)
    assert standing(build, manifest) == set()


@pytest.mark.parametrize("is_whole", [True, False])
def test_what_a_step_made_stands_until_something_is_built(
    build: duckdb.DuckDBPyConnection, manifest: dict[str, Any], *, is_whole: bool
) -> None:
    """A back-test of tables that were made anew under it."""
    assert not does_stand(build, "back-test")
    remember_made(build, "back-test")
    plan_build(build, manifest, CIRCUMSTANCES, is_whole=True)
    assert does_stand(build, "back-test")
    if is_whole:
        build.execute("insert into landing.deliveries values (3, 'crm', 'deals', 'loaded')")
    plan_build(build, manifest, CIRCUMSTANCES, is_whole=is_whole)
    assert not does_stand(build, "back-test")
