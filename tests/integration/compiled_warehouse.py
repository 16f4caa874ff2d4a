"""The product's own SQL, compiled once by dbt, run on rows that a test made, in memory.

dbt compiles the project with stand-ins for the as-of instant and the time zone; a build then puts
the real ones in their place and runs every model in the graph's order. What dbt does on a real
run (seeds with their types, contracts, one relation per model) is done here in the same way.
"""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb
from jinja2 import Environment, Template

from assets.extracts.casting import raw_name
from assets.extracts.contracts import Contract, load_contracts
from assets.extracts.event_days import note_table
from assets.extracts.tables import prepare
from assets.releases.history import ReleaseRecord, append_shown, prepare_history

Row = Mapping[str, Any]
Rows = Sequence[Row]

ROOT = Path(__file__).parents[2]
PROJECT = ROOT / "dbt_project"
DBT = str(Path(sys.executable).parent / "csw-dbt")
# Stand-ins that no other text of the project can be taken for.
AS_OF, ZONE, VERSION = "2001-02-03T04:05:06+00:00", "Etc/Stand_in", "configuration stand-in"
# Of a model that is made in shares of accounts (macros/shares.sql), however few accounts there are.
SHARES = 3
LOADER_DEFAULTS: dict[str, Any] = {"_is_deleted": False, "_load_order": "0", "_delivery_id": 1}
DELIVERY_DEFAULTS: dict[str, Any] = {
    "content_hash": "",
    "path_version": 1,
    "size_bytes": 0,
    "rows_read": 0,
    "rows_loaded": 0,
    "rows_rejected": 0,
    "rows_duplicate": 0,
    "state": "loaded",
    "run_id": "",
    "loaded_at": datetime(2024, 1, 1, tzinfo=UTC),
}


@dataclass(frozen=True, kw_only=True)
class Node:
    """One model or seed: its relation, its SQL or file, and the types that it promises."""

    relation: str
    schema: str
    name: str
    sql: str
    types: Mapping[str, str]
    never_null: tuple[str, ...]
    parents: tuple[str, ...]
    is_kept: bool
    in_shares: bool
    before: tuple[str, ...]
    after: tuple[str, ...]

    @property
    def is_seed(self) -> bool:
        """Whether a CSV file holds its rows."""
        return not self.sql


@dataclass(frozen=True, kw_only=True, repr=False)
class Warehouse:
    """The compiled project, to be run as often as one likes."""

    nodes: tuple[Node, ...]
    seeds: Path

    def __repr__(self) -> str:
        """Short: a failing example shows its rows and not our SQL."""
        return f"<{len(self.nodes)} compiled nodes>"

    def _repr_pretty_(self, printer: Any, is_cycle: bool) -> None:  # noqa: ARG002, FBT001
        """The same for hypothesis."""
        printer.text(repr(self))

    def only(self, *names: str) -> "Warehouse":
        """These models, and all that they are made from."""
        wanted = set(names)
        for node in reversed(self.nodes):
            if node.name in wanted:
                wanted |= set(node.parents)
        return replace(self, nodes=tuple(node for node in self.nodes if node.name in wanted))

    def build(
        self,
        tables: Mapping[str, Rows],
        as_of: datetime,
        *,
        zone: str = "UTC",
        seeds: Mapping[str, Rows] | None = None,
    ) -> duckdb.DuckDBPyConnection:
        """A new build in memory with every model's table; the caller closes it."""
        connection = open_build()
        land(connection, tables)
        self.run(connection, as_of, zone=zone, seeds=seeds)
        return connection

    def run(
        self,
        connection: duckdb.DuckDBPyConnection,
        as_of: datetime,
        *,
        zone: str = "UTC",
        version: str = "v1",
        seeds: Mapping[str, Rows] | None = None,
    ) -> None:
        """Makes every seed and model anew from what has landed in the build.

        Args:
            connection: a build of `open_build`.
            as_of: the as-of instant.
            zone: the reporting time zone.
            version: the configuration's version.
            seeds: rows in place of those of a seed's file.
        """
        stand_ins = {AS_OF: as_of.isoformat(), ZONE: zone, VERSION: version}
        for schema in sorted({node.schema for node in self.nodes}):
            connection.execute(f'create schema if not exists "{schema}"')
        for node in self.nodes:
            if node.is_seed:
                _seed(connection, node, self.seeds, (seeds or {}).get(node.name))
            else:
                _make(connection, node, stand_ins)

    def run_on(
        self,
        connection: duckdb.DuckDBPyConnection,
        as_of: datetime,
        *,
        zone: str = "UTC",
        seeds: Mapping[str, Rows] | None = None,
        dies_before: str | None = None,
    ) -> None:
        """As dbt does it in a build that holds earlier runs: incremental models keep their rows.

        Hooks run as well. `dies_before` names the model at which the run ends as if it were killed.
        """
        stand_ins = {AS_OF: as_of.isoformat(), ZONE: zone, VERSION: "v1"}
        for schema in sorted({node.schema for node in self.nodes}):
            connection.execute(f'create schema if not exists "{schema}"')
        for node in self.nodes:
            if node.name == dies_before:
                return
            if node.is_seed:
                _seed(connection, node, self.seeds, (seeds or {}).get(node.name))
            else:
                _keep(connection, self, node, stand_ins)


def open_build() -> duckdb.DuckDBPyConnection:
    """An empty build in memory, with every raw table and an empty history."""
    connection = duckdb.connect(config={"threads": "1"})
    connection.execute("attach ':memory:' as build; use build")
    prepare(connection)
    prepare_history(connection)
    return connection


def land(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, Rows]) -> None:
    """Puts rows into raw tables, by `source.table`, and into `landing.deliveries`.

    What the loader adds to a row is made up where the row doesn't say it: known when it happened.
    """
    contracts = load_contracts()
    for name, rows in tables.items():
        if name == "landing.deliveries":
            _insert(connection, name, [DELIVERY_DEFAULTS | dict(row) for row in rows])
        else:
            contract = contracts[name]
            _insert(connection, raw_name(contract), _with_defaults(contract, rows))
            note_table(connection, contract)


def read_rows(connection: duckdb.DuckDBPyConnection, relation: str) -> list[dict[str, Any]]:
    """All rows of a table."""
    cursor = connection.execute(f"select * from {relation}")  # noqa: S608 - names of our own tables
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def compile_warehouse(folder: Path) -> None:
    """Has dbt compile the whole project into `folder`, against an empty build of its own."""
    database = folder / "build.duckdb"
    with duckdb.connect(str(database)) as connection:
        prepare(connection)
        prepare_history(connection)
    variables = {
        "as_of": AS_OF,
        "reporting_time_zone": ZONE,
        "configuration_version": VERSION,
    }
    run_dbt(folder, ["compile", "--vars", json.dumps(variables)])


def read_warehouse(folder: Path, *, seeds: Path = ROOT / "seeds") -> Warehouse:
    """The project that `compile_warehouse` compiled into `folder`."""
    return Warehouse(nodes=tuple(_nodes(folder / "target" / "manifest.json")), seeds=seeds)


def run_dbt(folder: Path, arguments: Sequence[str], *, program: Sequence[str] = (DBT,)) -> str:
    """Runs dbt on the product's project with everything that it writes under `folder`."""
    environment = os.environ | {
        "CSW_BUILD_DATABASE": str(folder / "build.duckdb"),
        "CSW_SPILL_FOLDER": str(folder / "spill"),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
        "PYTHONPATH": str(ROOT),
    }
    command = [
        *program, "--no-use-colors", "--log-level-file", "none", *arguments,
        "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT),
    ]  # fmt: skip
    done = subprocess.run(  # noqa: S603 - our own command and arguments
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout


def land_anew(build: duckdb.DuckDBPyConnection, tables: Mapping[str, Rows]) -> None:
    """Replaces what has landed in these tables."""
    for table in tables:
        build.execute(f"delete from {table}")  # noqa: S608 - names of our own tables
    land(build, tables)


def publish(build: duckdb.DuckDBPyConnection, number: int, as_of: datetime) -> None:
    """Keeps what the build shows, as a release does that holds it."""
    record = ReleaseRecord(
        sequence=number,
        release_id=str(number),
        as_of=as_of,
        published_at=as_of,
        code_version="",
        configuration_version="",
        last_delivery_id=0,
    )
    append_shown(build, record)


def read_seed(path: Path) -> list[dict[str, Any]]:
    """A seed's rows as text; an empty cell is None."""
    with path.open(encoding="utf-8", newline="") as lines:
        return [{k: v or None for k, v in row.items()} for row in csv.DictReader(lines)]


def _nodes(manifest: Path) -> Iterable[Node]:
    nodes = json.loads(manifest.read_text("utf-8"))["nodes"]
    wanted = {k: n for k, n in nodes.items() if n["resource_type"] in ("model", "seed")}
    graph = {
        k: [d for d in n["depends_on"].get("nodes", ()) if d in wanted] for k, n in wanted.items()
    }
    for key in TopologicalSorter(graph).static_order():
        node = wanted[key]
        promised = {c["name"]: c["data_type"] for c in node["columns"].values()}
        is_enforced = node["config"]["contract"]["enforced"]
        hooks = [hook["sql"] for hook in node["config"]["pre-hook"]]
        # What keeps shown days is compiled as a first run reads it: whole, and so made anew.
        before = tuple(hook for hook in hooks if "forget_unshown" not in hook)
        yield Node(
            relation=node["relation_name"],
            parents=tuple(wanted[parent]["name"] for parent in graph[key]),
            schema=node["schema"],
            name=node["name"],
            sql=node.get("compiled_code", ""),
            types=node["config"].get("column_types") or (promised if is_enforced else {}),
            is_kept=node["config"]["materialized"] == "incremental" and len(before) == len(hooks),
            in_shares=bool(node["config"]["meta"].get("in_shares")),
            before=before,
            after=tuple(hook["sql"] for hook in node["config"]["post-hook"]),
            never_null=tuple(
                column["name"]
                for column in node["columns"].values()
                if any(rule["type"] == "not_null" for rule in column["constraints"])
            ),
        )


def _with_defaults(contract: Contract, rows: Rows) -> Rows:
    """The rows with what the loader adds, where they do not say it themselves."""
    columns = contract.duckdb_columns()
    known = {name: value for name, value in LOADER_DEFAULTS.items() if name in columns}
    return [known | {"_row": number} | dict(row) for number, row in enumerate(rows, start=1)]


def _insert(connection: duckdb.DuckDBPyConnection, relation: str, rows: Rows) -> None:
    """One statement for all rows: they go over as JSON and are read with the table's own types."""
    if not rows:
        return
    described = connection.execute(f"describe {relation}").fetchall()
    types = {name: kind for name, kind, *_ in described if any(name in row for row in rows)}
    unknown = {name for row in rows for name in row} - types.keys()
    assert not unknown, f"{relation} has no column {sorted(unknown)}"
    text = json.dumps([dict(row) for row in rows], default=str)
    connection.execute(
        f"insert into {relation} by name select unnest(from_json(?, ?), max_depth := 2)",
        [text, json.dumps([types])],
    )


def _seed(
    connection: duckdb.DuckDBPyConnection, node: Node, folder: Path, rows: Rows | None
) -> None:
    columns = ", ".join(f'"{name}" {kind}' for name, kind in node.types.items())
    connection.execute(f"create or replace table {node.relation} ({columns})")
    told = read_seed(folder / f"{node.name}.csv") if rows is None else rows
    _insert(connection, node.relation, told)


def _make(connection: duckdb.DuckDBPyConnection, node: Node, stand_ins: Mapping[str, str]) -> None:
    sql = _filled(node.sql, stand_ins)
    if node.in_shares:
        connection.execute(f"create or replace table {node.relation} as from ({sql}) limit 0")
        _append(connection, node, sql)
    else:
        connection.execute(f"create or replace table {node.relation} as\n{sql}")
    if node.types:
        _keep_contract(connection, node)


def _append(connection: duckdb.DuckDBPyConnection, node: Node, sql: str) -> None:
    insert = f"insert into {node.relation} by name {sql}"
    if not node.in_shares:
        connection.execute(insert)
        return
    connection.execute(f"set variable shares = {SHARES}::ubigint")
    for share in range(SHARES):
        connection.execute(f"set variable share = {share}")
        connection.execute(insert)
    connection.execute("reset variable share; reset variable shares")


def _keep(
    connection: duckdb.DuckDBPyConnection,
    warehouse: Warehouse,
    node: Node,
    stand_ins: Mapping[str, str],
) -> None:
    """One model in a transaction of its own, with its hooks, onto what it held before."""
    is_there = bool(
        connection.execute(
            "select 1 from duckdb_tables() where schema_name = ? and table_name = ?",
            [node.schema, node.name],
        ).fetchall()
    )
    is_kept = node.is_kept and is_there
    connection.execute("begin")
    for hook in node.before:
        _run_hook(connection, warehouse, node, hook, stand_ins, is_incremental=is_kept)
    if is_kept:
        _append(connection, node, _filled(node.sql, stand_ins))
    else:
        _make(connection, node, stand_ins)
    for hook in node.after:
        _run_hook(connection, warehouse, node, hook, stand_ins, is_incremental=is_kept)
    connection.execute("commit")


def _run_hook(
    connection: duckdb.DuckDBPyConnection,
    warehouse: Warehouse,
    node: Node,
    hook: str,
    stand_ins: Mapping[str, str],
    *,
    is_incremental: bool,
) -> None:
    """Renders a hook with the project's own macros and runs it, if anything is left of it."""
    relations = {other.name: other.relation for other in warehouse.nodes}
    variables = {"as_of": AS_OF, "reporting_time_zone": ZONE}
    sql = (
        _template(hook)
        .render(
            this=node.relation,
            ref=relations.__getitem__,
            source=lambda schema, name: _Source(f'"build"."{schema}"."{name}"'),
            var=lambda name, default=None: variables.get(name, default),
            is_incremental=lambda: is_incremental,
            execute=False,
        )
        .strip()
    )
    if sql:
        connection.execute(_filled(sql, stand_ins))


@cache
def _template(hook: str) -> Template:
    """A hook with the project's own macros before it."""
    macros = "".join(
        (PROJECT / "macros" / f"{name}.sql").read_text("utf-8")
        for name in ("time", "rollups", "shares")
    )
    environment = Environment(autoescape=False, extensions=["jinja2.ext.do"])  # noqa: S701 - SQL
    return environment.from_string(macros + hook)


class _Source(str):
    """A source's relation, which dbt would narrow under --empty."""

    def render(self) -> str:
        """The relation itself."""
        return str(self)


def _filled(sql: str, stand_ins: Mapping[str, str]) -> str:
    for stand_in, value in stand_ins.items():
        sql = sql.replace(stand_in, value)
    return sql


def _keep_contract(connection: duckdb.DuckDBPyConnection, node: Node) -> None:
    made = connection.execute(f"describe {node.relation}").fetchall()
    found = {name: kind.replace(" ", "").lower() for name, kind, *_ in made}
    promised = {name: kind.replace(" ", "").lower() for name, kind in node.types.items()}
    assert found == promised, f"{node.relation} breaks its contract"
    if node.never_null:
        broken = " or ".join(f'"{name}" is null' for name in node.never_null)
        nulls = connection.execute(
            f"select * from {node.relation} where {broken} limit 3"  # noqa: S608
        ).fetchall()
        assert not nulls, f"{node.relation} has NULL in one of {node.never_null}: {nulls}"
