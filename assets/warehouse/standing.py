"""Which dbt nodes still stand: those that would come out as they are.

Every node has a fingerprint of what it is made of: the run's circumstances (code, variables,
as-of), its own seed file and, through its parents, the sources above it. The build
keeps the fingerprint that each node was last built with; a node whose fingerprint is the same need
not be built, and a test that passed need not be asked, again. A view holds no rows, so that only
the circumstances make it anew.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

import duckdb

from assets.transactions import transaction

Manifest = Mapping[str, Any]
_BUILT = frozenset({"model", "seed", "test"})
_NO_NODE: Mapping[str, Any] = {"config": {}}
# What a run leaves to the next one. Rollups are exact whatever it says; it only spares them work.
# What releases showed was copied from the tables of this very build, or, into an empty build, from
# a release before anything stood.
_OWN_STATE = frozenset({"rollups", "history"})


@dataclass(frozen=True, kw_only=True)
class BuildPlan:
    """What a run has to build, and what it need not.

    Attributes:
        fingerprints: What each node is made of, by unique id, parents first.
        standing: The nodes that stay as they are.
    """

    fingerprints: Mapping[str, str]
    standing: frozenset[str]

    @property
    def is_anything_to_build(self) -> bool:
        """Whether dbt has anything to do."""
        return len(self.standing) < len(self.fingerprints)


def plan_build(
    connection: duckdb.DuckDBPyConnection,
    manifest: Manifest,
    circumstances: Collection[str],
    *,
    is_whole: bool,
) -> BuildPlan:
    """Find what stands, and take the rest out of the book before it is built.

    A kill so leaves no node that only half stands. Where a run builds a part of the graph alone,
    nothing stands, then or afterwards: that part may rest on tables that are not what they were.
    What Python made of the tables goes out of the book with the first of them.
    """
    fingerprints = read_fingerprints(connection, manifest, circumstances)
    standing = find_standing(connection, manifest, fingerprints)
    if not is_whole:
        fingerprints, standing = dict.fromkeys(fingerprints, ""), frozenset()
    plan = BuildPlan(fingerprints=fingerprints, standing=standing)
    if plan.is_anything_to_build:
        connection.execute(
            "delete from builds.nodes where node not in (select unnest(?::varchar[]))",
            [list(standing)],
        )
    return plan


def read_fingerprints(
    connection: duckdb.DuckDBPyConnection, manifest: Manifest, circumstances: Collection[str]
) -> dict[str, str]:
    """What each node of dbt's manifest is made of, 32 hex digits by unique id; parents first.

    Args:
        connection: the build, loaded.
        manifest: dbt's manifest.
        circumstances: what all nodes depend on: code, variables, as-of, engines.
    """
    ground = _hash(circumstances)
    nodes = _nodes(manifest)
    parents = {unique_id: _parents(node) for unique_id, node in nodes.items()}
    passed_on: dict[str, str] = {}
    for unique_id in TopologicalSorter(parents).static_order():
        if unique_id in nodes:
            content = nodes[unique_id]["checksum"]["checksum"]
            read = (passed_on[parent] for parent in sorted(parents[unique_id]))
            passed_on[unique_id] = _hash((ground, content, *read))
        else:
            passed_on[unique_id] = _source_version(connection, manifest["sources"][unique_id])
    return {
        unique_id: ground if _is_view(nodes[unique_id]) else fingerprint
        for unique_id, fingerprint in passed_on.items()
        if unique_id in nodes
    }


def find_standing(
    connection: duckdb.DuckDBPyConnection, manifest: Manifest, fingerprints: Mapping[str, str]
) -> frozenset[str]:
    """The nodes that are what a build would make of them, and that nothing to be built needs anew.

    A working table holds what was due or not yet shown when it was made: it is no result, and what
    is built of an old one would count a day twice. It is made anew for whatever reads it, and those
    that read the rollups' books whenever there is anything to build.
    """
    _prepare(connection)
    built = dict(connection.execute("select node, fingerprint from builds.nodes").fetchall())
    here = {
        f"{schema}.{name}"
        for schema, name in connection.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = 'build' "
            "union all "
            "select schema_name, view_name from duckdb_views() where database_name = 'build'"
        ).fetchall()
    }
    nodes = _nodes(manifest)
    standing = {
        unique_id
        for unique_id, fingerprint in fingerprints.items()
        if built.get(unique_id) == fingerprint
        and (nodes[unique_id]["resource_type"] == "test" or _address(nodes[unique_id]) in here)
    }
    if len(standing) < len(fingerprints):
        standing -= _due_tables(manifest)
        standing -= _read_anew(manifest, fingerprints.keys() - standing)
    return frozenset(standing)


def remember_built(
    connection: duckdb.DuckDBPyConnection,
    run_results: Mapping[str, Any],
    fingerprints: Mapping[str, str],
) -> None:
    """Put what came out well into the book: a model that was built, a test that passed."""
    built = [
        result["unique_id"]
        for result in run_results["results"]
        if result["status"] in ("success", "pass") and result["unique_id"] in fingerprints
    ]
    _remember(connection, {node: fingerprints[node] for node in built})


def does_stand(connection: duckdb.DuckDBPyConnection, step: str) -> bool:
    """Whether what this step makes of dbt's tables is still made of them as they are."""
    _prepare(connection)
    found = connection.execute("select 1 from builds.nodes where node = ?", [step]).fetchone()
    return found is not None


def remember_made(connection: duckdb.DuckDBPyConnection, step: str) -> None:
    """Put a step into the book that has made something of dbt's tables, all of which stand."""
    _remember(connection, {step: ""})


def _prepare(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create schema if not exists builds")
    connection.execute(
        "create table if not exists builds.nodes (node varchar not null, fingerprint varchar)"
    )


def _remember(connection: duckdb.DuckDBPyConnection, fingerprints: Mapping[str, str]) -> None:
    _prepare(connection)
    nodes = list(fingerprints)
    with transaction(connection):
        connection.execute(
            "delete from builds.nodes where node in (select unnest(?::varchar[]))", [nodes]
        )
        connection.execute(
            "insert into builds.nodes select unnest(?::varchar[]), unnest(?::varchar[])",
            [nodes, list(fingerprints.values())],
        )


def _nodes(manifest: Manifest) -> dict[str, Any]:
    return {
        unique_id: node
        for unique_id, node in manifest["nodes"].items()
        if node["resource_type"] in _BUILT
    }


def _parents(node: Mapping[str, Any]) -> list[str]:
    return list(node["depends_on"].get("nodes", []))  # a seed has none


def _address(node: Mapping[str, Any]) -> str:
    return ".".join((node["schema"], node["alias"]))


def _is_view(node: Mapping[str, Any]) -> bool:
    return bool(node["config"].get("materialized") == "view")


def _source_version(connection: duckdb.DuckDBPyConnection, source: Mapping[str, Any]) -> str:
    """Another text whenever the source's rows are others.

    A raw table's rows come with its deliveries or are cut: reading a history of events to see
    whether it is the same would cost what is to be spared. The other sources are small books.
    """
    schema, table = str(source["schema"]), source["identifier"]
    if schema in _OWN_STATE:
        return schema
    address = source["relation_name"]
    rows = f"select count(*) as rows from {address}"  # noqa: S608 - dbt's manifest names it
    if schema in ("landing", "ledger"):
        rows = f"select count(*) as rows, sum(hash(t)) as hash from {address} as t"  # noqa: S608
    deliveries = (
        "select sum(hash(t)) as delivered from landing.deliveries as t "
        "where source = ? and table_name = ?"
    )
    query = f"select * from ({rows}) cross join ({deliveries})"  # noqa: S608
    return str(connection.execute(query, [schema, table]).fetchone())


def _due_tables(manifest: Manifest) -> set[str]:
    """The tables that read the rollups' books, through views at most."""
    return _tables_below(manifest, {"rollups"}, through=_is_view)


def _read_anew(manifest: Manifest, stale: Collection[str]) -> set[str]:
    """The working tables that stale nodes read, through views and each other."""
    nodes, working = _nodes(manifest), _working_tables(manifest)
    found: set[str] = set()
    seen: set[str] = set()
    waiting = [parent for node in stale for parent in _parents(nodes[node])]
    while waiting:
        parent = waiting.pop()
        if parent in seen or not (parent in working or _is_view(nodes.get(parent, _NO_NODE))):
            continue
        seen.add(parent)
        found |= {parent} & working
        waiting += _parents(nodes[parent])
    return found


def _working_tables(manifest: Manifest) -> set[str]:
    """The intermediate tables that hang on what a run leaves to the next one.

    Marts and incremental tables do so too, but hold the same whatever that is: what reads them
    alone is no working table.
    """
    nodes = _nodes(manifest)
    below = _tables_below(
        manifest, _OWN_STATE, through=lambda node: _is_view(node) or _is_working(node)
    )
    return {unique_id for unique_id in below if _is_working(nodes[unique_id])}


def _tables_below(
    manifest: Manifest, schemas: Collection[str], through: Callable[[Mapping[str, Any]], bool]
) -> set[str]:
    """The tables that read sources of some schemas, by way of nodes such as `through` says."""
    nodes = _nodes(manifest)
    waiting = [u for u, source in manifest["sources"].items() if source["schema"] in schemas]
    found: set[str] = set()
    while waiting:
        for child in manifest["child_map"][waiting.pop()]:
            if child in nodes and child not in found and nodes[child]["resource_type"] == "model":
                found.add(child)
                waiting += [child] if through(nodes[child]) else []
    return {unique_id for unique_id in found if not _is_view(nodes[unique_id])}


def _is_working(node: Mapping[str, Any]) -> bool:
    return node.get("schema") == "intermediate" and node["config"].get("materialized") == "table"


def _hash(parts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
